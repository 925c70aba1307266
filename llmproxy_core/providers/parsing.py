"""JSON of others: read whatever can be read, never raise."""

import json
from typing import Any

import orjson

from llmproxy_core.model import Json

LONGEST = 64 * 2**20
"""Bytes of JSON that are read: as Python objects they may take thirty times as much."""


def parse(data: bytes) -> tuple[Json, str | None]:
    """The value in `data` and what is wrong with it; (None, problem) if there is no value at all.

    Takes what strict parsers refuse and providers send: lone surrogates, NaN, a byte order mark.
    Invalid UTF-8 yields a value with U+FFFD in its place, and the problem.
    """
    if len(data) > LONGEST:
        return None, f"too large to be read: {len(data)} bytes"
    try:
        return orjson.loads(data), None
    except orjson.JSONDecodeError as exc:
        strict = str(exc)
    if not data.strip():
        return None, "the body is empty"
    try:
        return json.loads(data), None
    except UnicodeDecodeError as exc:
        return _mended(data, f"not UTF-8: byte {exc.start}")
    except (ValueError, RecursionError):
        return None, f"not JSON: {strict}"


def _mended(data: bytes, problem: str) -> tuple[Json, str]:
    try:
        return json.loads(data.decode("utf-8", "replace")), problem
    except (ValueError, RecursionError):
        return None, problem


def dumps(value: Any) -> str:
    """Compact JSON text of a parsed value."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return _dumps_anyway(value)


def _dumps_anyway(value: Any) -> str:
    """Integers over 64 bits and lone surrogates, which orjson refuses; too deep a value: empty."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""
