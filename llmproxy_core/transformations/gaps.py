"""Where commas go, when some entries of an object or an array leave, and others come."""

from collections.abc import Sequence
from typing import Protocol

import orjson

from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.namespace.walk import OPEN_ARRAY


class Entry(Protocol):
    """A member of an object, or an element. It stands at `start:end` of the text around it, its
    value from `value` on."""

    @property
    def key(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def value(self) -> int: ...
    @property
    def end(self) -> int: ...
    def raw(self) -> bytes: ...
    def edits(self) -> list[Edit]: ...


type Kept = tuple[int, list[bytes], list[Edit]]
"""An entry that stays: its number of before, the new ones in front of it, its own edits."""


def restructured(
    text: bytes, start: int, came: Sequence[Entry], now: Sequence[Entry]
) -> list[Edit]:
    """What makes the entries that came those of now. `start`: of the object or array in `text`."""
    spaced = bool(came) and text[came[0].start : came[0].value].endswith(b" ")
    colon = None if text[start] == OPEN_ARRAY else b": " if spaced else b":"
    kept: list[Kept] = []
    new: list[bytes] = []
    numbers = {id(one): number for number, one in enumerate(came)}
    for one in now:
        if (number := numbers.get(id(one))) is None:
            new.append(one.raw() if colon is None else orjson.dumps(one.key) + colon + one.raw())
        else:
            kept.append((number, new, one.edits()))
            new = []
    separator = b", " if spaced else b","
    if len(came) > 1:
        separator = text[came[0].end : came[1].start]
    return joined([(one.start, one.end) for one in came], kept, new, start + 1, separator)


def joined(
    spans: Sequence[tuple[int, int]],
    kept: Sequence[Kept],
    last: Sequence[bytes],
    inside: int,
    separator: bytes,
) -> list[Edit]:
    """`spans`: of all entries of before. `last`: new ones after all that stay. `inside`: where the
    first entry of none would be. Entries that stay keep the text between them, but where one
    between them goes."""
    if not kept:
        start, end = (spans[0][0], spans[-1][1]) if spans else (inside, inside)
        return _edit(start, end, separator.join(last))
    edits: list[Edit] = []
    before = -1
    for number, new, own in kept:
        start = spans[number][0]
        if before < 0:
            lead = b"".join(value + separator for value in new)
            edits += _edit(spans[0][0], start, lead)
        else:
            edits += _after(spans, before, number - 1, new, separator)
        edits += own
        before = number
    return edits + _after(spans, before, len(spans) - 1, last, separator)


def _after(
    spans: Sequence[tuple[int, int]],
    kept: int,
    gone: int,
    new: Sequence[bytes],
    separator: bytes,
) -> list[Edit]:
    """What follows an entry that stays, up to the end of the last one that goes."""
    return _edit(spans[kept][1], spans[gone][1], b"".join(separator + value for value in new))


def _edit(start: int, end: int, new: bytes) -> list[Edit]:
    return [(start, end, new)] if new or start < end else []
