"""What remains of values of a body of which no text is to be written."""

from typing import Any

import orjson

from llmproxy_core.model import text_of
from llmproxy_core.pricing.estimate import ASCII_CHARACTERS, OTHER_TOKENS
from llmproxy_core.providers.settings import session_hints
from llmproxy_core.withholding import vocabulary as words

DEEPEST = 40
SCALARS = (bool, int, float)


def dumps(value: Any) -> bytes:
    """JSON; of what cannot be written, an empty object."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return b"{}"


def is_key(key: str) -> bool:
    """May a number be called so?"""
    return words.KEY.fullmatch(key) is not None


def word(value: Any) -> str:
    """The value if it is a word, else nothing."""
    return value if isinstance(value, str) and words.WORD.fullmatch(value) else ""


def bare(value: Any) -> Any:
    """Something of the same kind, with nothing in it."""
    return {} if isinstance(value, dict) else [] if isinstance(value, list) else " "


def vector(value: Any) -> Any:
    """One, without its numbers; Google has them in an object."""
    return {"values": []} if isinstance(value, dict) and "values" in value else bare(value)


def vectors(value: Any) -> Any:
    """How many, of each type of number."""
    if isinstance(value, list):
        return [vector(one) for one in value]
    if not isinstance(value, dict):
        return None
    told = {key: one for key, one in value.items() if isinstance(one, list) and is_key(key)}
    return {key: [vector(each) for each in one] for key, one in told.items()}


def metadata(value: Any) -> Any:
    """Ids of sessions; Claude Code writes them as JSON in a string. Of Bedrock: the counts. Of a batch
    of Gemini: its state."""
    if not isinstance(value, dict):
        return None
    hints = {key: one for key, one in value.items() if key in words.HINTS}
    kept = {key: word(one) for key, one in hints.items() if isinstance(one, str)}
    if text_of(value.get("user_id")).startswith("{"):
        session = session_hints({"metadata": value}).get("metadata.user_id", "")
        kept["user_id"] = dumps({"session_id": word(session)}).decode()
    if words.STATE.fullmatch(state := text_of(value.get("state"))):
        kept["state"] = state
    told = words.COUNTS | words.NUMBERS
    return kept | {key: counts(one, 1) for key, one in value.items() if key in told}


def size(text: str) -> float:
    """How many characters of ASCII that take as many tokens."""
    if text.isascii():
        return len(text)
    plain = len(text.encode("ascii", "ignore"))
    return plain + (len(text) - plain) * OTHER_TOKENS * ASCII_CHARACTERS


def counts(value: Any, depth: int, key: str = "") -> Any:
    """None: it is not written."""
    if isinstance(value, SCALARS):
        return value
    if isinstance(value, str):
        return word(value) if key in words.WORDS or key in words.COUNTED else None
    if isinstance(value, list):
        return [counts(one, depth + 1) for one in value if isinstance(one, dict)]
    if not isinstance(value, dict) or depth > DEEPEST:
        return None
    told = {inner: counts(one, depth + 1, inner) for inner, one in value.items() if is_key(inner)}
    return {inner: one for inner, one in told.items() if one is not None or value[inner] is None}
