"""How much of a prompt that is cached at the provider stays cached when a request is changed.

A cache holds what a prompt begins with, in the provider's own order: mostly the tools, the system
prompt, the messages. Cache marks are no part of it, and a text alone is the same as a list of one
block of text. Sources: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching,
https://platform.openai.com/docs/guides/prompt-caching, https://ai.google.dev/gemini-api/docs/caching,
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.providers.parsing import dumps, parse

MARKS = ("cache_control", "cachePoint")
ORDER: tuple[str, ...] = (
    *("model", "modelId"),
    *("response_format", "text", "output_format", "output_config", "outputConfig", "format"),
    *("tools", "functions", "toolConfig", "tool_config"),
    *("instructions", "system", "preamble", "systemInstruction", "system_instruction"),
    *("tool_choice", "thinking"),
    *("chat_history", "messages", "contents", "input", "prompt", "message"),
)
"""Keys of what a prompt is made of, as it is cached: another model or another response format has
another cache; another choice of tools or way of thinking keeps that of tools and system prompt."""
HOLDERS = ("request", "response", "setup", "session")


def cached_prefix_kept(before: bytes, after: bytes) -> float:
    """From 0 to 1: how much of the prompt of `before`, in bytes, `after` begins with as well; 1 for
    an empty prompt. 0 where one of them cannot be read."""
    try:
        one, other = _prompt(before), _prompt(after)
    except RecursionError:
        return 0.0
    if one is None or other is None:
        return 0.0
    whole = sum(map(len, one))
    kept = 0
    for said, now in zip(one, other, strict=False):
        same = _same(said, now)
        kept += same
        if same < len(said) or len(said) < len(now):
            break
    return kept / whole if whole else 1.0


def _prompt(body: bytes) -> list[str] | None:
    value, _ = parse(body)
    if not isinstance(value, dict):
        return None
    inner = next((value[key] for key in HOLDERS if isinstance(value.get(key), dict)), value)
    return [*_pieces(mapping(inner))]


def _pieces(request: Mapping[str, Any]) -> Iterator[str]:
    for key in ORDER:
        value = request.get(key)
        if value is None:
            continue
        entries = value if isinstance(value, list) else [value]
        yield key
        for entry in entries:
            yield from _spread(entry)


def _spread(entry: Any) -> Iterator[str]:
    """An entry, and each block of a message by itself."""
    fields = mapping(entry)
    for key in ("content", "parts"):
        if key in fields:
            rest = {name: said for name, said in fields.items() if name != key}
            yield dumps(_plain(rest))
            blocks = fields[key] if isinstance(fields[key], list) else [fields[key]]
            yield from (_block(block) for block in blocks if not _is_mark(block))
            return
    if not _is_mark(entry):
        yield _block(entry)


def _block(block: Any) -> str:
    """A text block as its text, so that what is added at its end leaves what comes before."""
    plain = _plain(block)
    if isinstance(plain, str):
        return plain
    fields = mapping(plain)
    if isinstance(fields.get("text"), str) and fields.keys() <= {"type", "text"}:
        return str(fields["text"])
    return dumps(plain)


def _is_mark(value: Any) -> bool:
    return mapping(value).keys() == {"cachePoint"}


def _plain(value: Any) -> Any:
    """Without cache marks."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in MARKS}
    if isinstance(value, list):
        return [_plain(one) for one in value if not _is_mark(one)]
    return value


def _same(one: str, other: str) -> int:
    """Characters with which both begin."""
    if one == other or other.startswith(one):
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
