"""JSON texts of exports: lone surrogates and large numbers as escapes and digits, never an error."""

import base64
import json
from datetime import datetime
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """One line of JSON; NaN and infinities, which JSON has not, are null."""
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers over 64 bits, depth
        return _dumps_anyway(value)


def _dumps_anyway(value: Any) -> bytes:
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        text = json.dumps(finite, separators=(",", ":"))
    return text.encode()


def base64_of(body: bytes) -> str:
    return base64.b64encode(body).decode()


def moment(when: datetime) -> str:
    """`2026-11-22T07:38:59.123456Z`"""
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def arguments(text: str) -> Any:
    """Of a tool call: the value; an empty text as it is; `{"$unparsed": text}` if it is no JSON."""
    if not text:
        return ""
    try:
        value = json.loads(text)
        dumps(value)
    except (ValueError, RecursionError):
        return {"$unparsed": text}
    return value
