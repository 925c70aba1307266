"""JSON of files, as strictly as its bytes must survive, and what is wrong with it in words."""

import json
from typing import Any

import msgspec
import orjson

UNREADABLE = (ValueError, OverflowError, RecursionError)
"""What a part that cannot be read raises; those of msgspec and base64 are ValueErrors."""


def parsed(data: bytes) -> Any:
    """Raises ValueError, RecursionError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data.decode())  # lone surrogates, integers over 64 bits


def typed[T](data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Only what the type asks for is made: a small file may hold gigabytes of empty lists.

    Raises ValueError, RecursionError.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(parsed(data), decoder.type)


def words(exc: Exception) -> str:
    """Why it could not be read, for a person."""
    if isinstance(exc, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {exc.start}"
    if isinstance(exc, json.JSONDecodeError):
        return f"it is not JSON: {exc.msg} at character {exc.pos + 1}; was the file cut there?"
    if isinstance(exc, OverflowError):
        return f"a number in it is too large: {exc}"
    if isinstance(exc, RecursionError):
        return "it is nested too deeply"
    return str(exc) or type(exc).__name__
