"""Messages in one form, whoever wrote them down: a hash of what was said.

What clients and providers write differently for the same message is left out: marks of prompt
caches, a string for a list of one text, the order of keys, spacing of JSON arguments, ids of items,
signatures and reasoning (which many clients do not send back). Formats have read all of it into
the same parts; so an answer and the message in which it comes back have the same hash, also where
the conversation goes on with another provider.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Message, Part, Response
from llmproxy_core.providers.parsing import parse

NOTHING: Hash = b""
"""The hash of a message in which nothing counts."""
TEXTS = ("text", "refusal")
ATTACHED = frozenset({"image", "audio", "document", "other"})
"""Parts whose text is a description: what they are, only the message itself tells."""
ITEMS = ".responses"
"""In the name of wires whose answers come back in several items, one for each part."""


def hash_of(message: Message, raw: bytes | None = None, *, system: bool = False) -> Hash:
    """128 bits, or NOTHING. `raw`: its JSON as sent. `system`: instructions count, too."""
    if message.role == "system" and not system:
        return NOTHING
    assistant = message.role == "assistant"
    pieces = _pieces(message.parts)
    if not pieces:
        return NOTHING
    if raw is not None and not assistant and _has_attachment(message.parts):
        pieces.append(_plain(raw))
    said = "\0".join(["assistant" if assistant else "user", *pieces])
    return content_hash(said.encode("utf-8", "surrogatepass"))


def answer_hashes(wire: str, response: Response) -> tuple[Hash, ...]:
    """Of the messages as which an answer comes back; one, except where each part is an item."""
    parts = [part for part in response.parts if part.kind != "reasoning"]
    if not parts and response.text:
        parts = [Part("text", response.text)]
    groups = [[part] for part in parts] if ITEMS in wire else [parts]
    found = [hash_of(Message("assistant", group)) for group in groups]
    return tuple(hash for hash in found if hash)


def _pieces(parts: Iterable[Part]) -> list[str]:
    """Neighbouring texts are one: clients join and split them."""
    pieces: list[str] = []
    text = ""
    for part in parts:
        if part.kind in TEXTS:
            text += part.text
            continue
        if part.kind == "reasoning":
            continue
        _add_text(pieces, text)
        text = ""
        pieces.append(_piece(part))
    _add_text(pieces, text)
    return pieces


def _add_text(pieces: list[str], text: str) -> None:
    if text := text.strip():
        pieces.append(f"text {len(text)} {text}")


def _piece(part: Part) -> str:
    if part.kind == "tool_call":
        said = f"{part.id or ''} {part.name or ''} {arguments(part.text)}"
    elif part.kind == "tool_result":
        said = f"{part.id or ''} {part.text.strip()}"
    else:
        said = f"{part.text} {part.name or ''}"
    return f"{part.kind} {len(said)} {said}"


def arguments(text: str) -> str:
    """JSON arguments without spacing and with their keys in order; other text as it is."""
    text = text.strip()
    if not text:
        return "{}"
    if text[0] not in "{[":
        return text
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
    except (ValueError, TypeError, RecursionError):
        return text


def _has_attachment(parts: Sequence[Part]) -> bool:
    return any(part.kind in ATTACHED for part in parts)


def _plain(raw: bytes) -> str:
    """The message's JSON with its keys in order and without the marks of prompt caches."""
    value, _ = parse(raw)
    try:
        data = orjson.dumps(unmarked(value), option=orjson.OPT_SORT_KEYS)
    except (ValueError, TypeError, RecursionError):
        data = raw
    return content_hash(data).hex()


def unmarked(value: Any) -> Any:
    """Without `cache_control` and Bedrock's `cachePoint`, wherever they stand."""
    if isinstance(value, dict):
        return {key: unmarked(inner) for key, inner in value.items() if key != "cache_control"}
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and "cachePoint" in item)]
        return [unmarked(item) for item in kept]
    return value
