"""JSON of files, as strictly as its bytes must survive, and what is wrong with it in words."""

import json
from typing import Any

import orjson


def parsed(data: bytes) -> Any:
    """Raises ValueError, RecursionError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data.decode())  # lone surrogates, integers over 64 bits


def words(exc: Exception) -> str:
    """Why it could not be read, for a person."""
    if isinstance(exc, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {exc.start}"
    if isinstance(exc, json.JSONDecodeError):
        return f"it is not JSON: {exc.msg} at character {exc.pos + 1}; was the file cut there?"
    if isinstance(exc, RecursionError):
        return "it is nested too deeply"
    return str(exc) or type(exc).__name__
