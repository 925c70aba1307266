"""JSON of which an object has a key twice: some readers take its first value, some its last."""

import json
import re
from collections.abc import Collection
from typing import Any

import msgspec

from llmproxy_core.providers.parsing import dumps

NAME = re.compile(rb'[\s,]*+"([^"\\]*+)"\s*+:\s*+')
END = re.compile(rb"\s*+\}")
LEVELS = 4
"""Of objects within objects that are walked."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_REFUSED = (msgspec.MsgspecError, RecursionError, ValueError)


class _Repeated(Exception):
    pass


def repeats(text: bytes | msgspec.Raw) -> bool:
    """Does any object in it? False for what is no JSON. Reads all of it."""
    if bytes(memoryview(text)[:1]) not in (b"{", b"["):
        return False
    try:
        json.loads(bytes(text), object_pairs_hook=_once)
    except _Repeated:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def repeats_outside(
    body: bytes | msgspec.Raw, wrappers: Collection[str], levels: int = LEVELS
) -> bool:
    """Does the object itself, or one in it under a key of `wrappers`? The values are not read."""
    try:
        fields = _OBJECT.decode(body)
    except _REFUSED:
        return repeats(body)
    data = bytes(body)
    at = data.index(b"{") + 1
    for key, value in fields.items():
        name = NAME.match(data, at)
        if name is None or name[1] != key.encode("utf-8", "surrogatepass"):
            return repeats(data)  # or a key is spelled with escapes
        at = name.end() + len(memoryview(value))
    if END.match(data, at) is None:
        return True
    return levels > 0 and any(
        repeats_outside(value, wrappers, levels - 1)
        for key, value in fields.items()
        if key in wrappers and bytes(memoryview(value)[:1]) == b"{"
    )


def with_the_first(text: bytes) -> bytes:
    """The same with the first value of each key; the same object if it is no JSON."""
    try:
        return dumps(json.loads(text, object_pairs_hook=_first)).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return text


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _Repeated


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))
