"""What remains of values of a body of which no text is to be written."""

from typing import Any

import orjson

from llmproxy_core.pricing.estimate import ASCII_CHARACTERS, OTHER_TOKENS
from llmproxy_core.redaction import vocabulary as words

DEEPEST = 40
SCALARS = (bool, int, float)


def dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return b"{}"


def is_key(key: str) -> bool:
    return words.KEY.fullmatch(key) is not None


def word(value: Any) -> str:
    return value if isinstance(value, str) and words.WORD.fullmatch(value) else ""


def bare(value: Any) -> Any:
    return {} if isinstance(value, dict) else [] if isinstance(value, list) else " "


def vector(value: Any) -> Any:
    return {"values": []} if isinstance(value, dict) and "values" in value else bare(value)


def size(text: str) -> float:
    """Characters of ASCII that take as many tokens."""
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
