"""A body cut into elements, each with its content hash: what was there before is known by it.

The elements of the lists of a JSON object, and its other values; of an object that only wraps
another one (Google's Code Assist, frames of WebSockets), those of that. No grammar of a wire format
is needed for it. What is no object is one element.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from llmproxy_core.hashing import Hash, content_hash

WRAPPERS = frozenset({"request", "response", "session", "setup", "clientContent"})
BATCH = "batch"
IN_BATCHES = frozenset({"inputConfig", "input_config", "requests"})
"""What wraps the requests of a batch of Gemini's."""
TYPE = 100
"""Bytes of a `type` beside an element that stays with it: it tells what a frame says."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_REFUSED = (msgspec.MsgspecError, RecursionError, ValueError)


class Element(NamedTuple):
    """`path`: the keys that lead to it. `listed`: it is an element of a list there. `type`: what
    stands beside it of a frame, see TYPE."""

    path: tuple[str, ...]
    listed: bool
    raw: bytes | msgspec.Raw
    hash: Hash
    type: bytes = b""

    def alone(self) -> bytes:
        """A body with nothing else in it."""
        if not self.path:
            return bytes(self.raw)
        body = bytes(self.raw)
        if self.listed:
            body = b"[" + body + b"]"
        for key in reversed(self.path[1:]):
            body = b"{" + msgspec.json.encode(key) + b":" + body + b"}"
        return b"{" + self.type + msgspec.json.encode(self.path[0]) + b":" + body + b"}"


def elements(body: bytes, least: int = 0) -> Iterator[Element]:
    """In order. Raises nothing. `least`: bytes of those of lists that are wanted."""
    try:
        fields = _OBJECT.decode(body)
    except _REFUSED:
        yield Element((), False, body, content_hash(body))
        return
    type = b""
    if "type" in fields and len(memoryview(fields["type"])) < TYPE:
        type = b'"type":' + bytes(fields["type"]) + b","
    yield from _members(fields, (), type, least)


def _members(
    fields: dict[str, msgspec.Raw], above: tuple[str, ...], type: bytes, least: int
) -> Iterator[Element]:
    for key, raw in fields.items():
        path = (*above, key)
        first = bytes(memoryview(raw)[:1])
        beside = b"" if path == ("type",) else type
        try:
            if first == b"[":
                inside = _ARRAY.decode(raw)
                if least:
                    inside = [one for one in inside if len(memoryview(one)) >= least]
                yield from (Element(path, True, one, content_hash(one), beside) for one in inside)
                continue
            if first == b"{" and _wraps(key, above):
                members = _OBJECT.decode(raw)
                yield from _members(members, path, type, least)
                continue
        except _REFUSED:
            pass  # half of a character in a key
        yield Element(path, False, raw, content_hash(raw), beside)


def _wraps(key: str, above: tuple[str, ...]) -> bool:
    if not above:
        return key in WRAPPERS or key == BATCH
    return above[0] == BATCH and key in IN_BATCHES and key not in above
