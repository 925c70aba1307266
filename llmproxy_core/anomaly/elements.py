"""A body cut into elements, each with its content hash: what was there before is known by it.

The elements of the lists of a JSON object, and its other values; of a large object in it, those of
that. No grammar of a wire format is needed for it. What is no object is one element.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from llmproxy_core.hashing import Hash, content_hash

LARGE = 2048
"""Bytes of an object that is cut further."""
DEEPEST = 3
"""Levels of objects that are cut."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_REFUSED = (msgspec.MsgspecError, RecursionError, ValueError)


class Element(NamedTuple):
    """`path`: the keys that lead to it. `listed`: it is an element of a list there."""

    path: tuple[str, ...]
    listed: bool
    raw: bytes | msgspec.Raw
    hash: Hash

    def alone(self) -> bytes:
        """A body with nothing else in it."""
        if not self.path:
            return bytes(self.raw)
        body = bytes(self.raw)
        if self.listed:
            body = b"[" + body + b"]"
        for key in reversed(self.path):
            body = b"{" + msgspec.json.encode(key) + b":" + body + b"}"
        return body


def elements(body: bytes) -> Iterator[Element]:
    """In order. Raises nothing."""
    try:
        fields = _OBJECT.decode(body)
    except _REFUSED:
        yield Element((), False, body, content_hash(body))
        return
    yield from _members(fields, (), DEEPEST)


def _members(
    fields: dict[str, msgspec.Raw], above: tuple[str, ...], levels: int
) -> Iterator[Element]:
    for key, raw in fields.items():
        path = (*above, key)
        first = bytes(memoryview(raw)[:1])
        if first == b"[":
            try:
                inside = _ARRAY.decode(raw)
            except _REFUSED:
                inside = []
            for one in inside:
                yield Element(path, True, one, content_hash(one))
        elif first == b"{" and levels > 1 and len(memoryview(raw)) > LARGE:
            try:
                yield from _members(_OBJECT.decode(raw), path, levels - 1)
            except _REFUSED:
                yield Element(path, False, raw, content_hash(raw))
        else:
            yield Element(path, False, raw, content_hash(raw))
