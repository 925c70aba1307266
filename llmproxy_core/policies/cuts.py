"""Takes values out of a JSON text, by the keys and numbers that lead to them; all else stays."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.walk import BETWEEN, BLANK, OPEN, OPEN_ARRAY
from llmproxy_core.namespace.whole import ARRAY, END, KEY, OBJECT

type Path = tuple[str | int, ...]
type Raw = bytes | msgspec.Raw
REFUSED = (msgspec.MsgspecError, RecursionError, ValueError, IndexError)


class Cut(NamedTuple):
    """What is at `path` goes, or becomes `instead`."""

    path: Path
    instead: bytes | None = None


class Unreadable(Exception):
    """A text that is no JSON, or repeats a key."""


class _Item(NamedTuple):
    """A member of an object, with its key, or an element: the bytes `start:end`."""

    key: str | int
    start: int
    value: int
    end: int
    raw: msgspec.Raw


def without(body: bytes, cuts: Iterable[Cut]) -> bytes:
    """Cuts within others are left out. Raises Unreadable."""
    wanted = [*cuts]
    if not wanted:
        return body
    blank = BLANK.match(body)
    at = blank.end() if blank else 0
    try:
        return edited(body, _within(body, body[at:], at, wanted, 0))
    except REFUSED:
        raise Unreadable from None


def _within(body: bytes, raw: Raw, at: int, cuts: Sequence[Cut], level: int) -> list[Edit]:
    items = _items(body, raw, at)
    here: dict[str | int, list[Cut]] = {}
    for cut in cuts:
        here.setdefault(cut.path[level], []).append(cut)
    gone: list[int] = []
    edits: list[Edit] = []
    for number, item in enumerate(items):
        inside = here.get(item.key, [])
        ends = next((cut for cut in inside if len(cut.path) == level + 1), None)
        if ends is None and inside:
            edits += _within(body, item.raw, item.value, inside, level + 1)
        elif ends is not None and ends.instead is not None:
            edits.append((item.value, item.end, ends.instead))
        elif ends is not None:
            gone.append(number)
    return sorted(edits + _removals(items, gone))


def _removals(items: Sequence[_Item], gone: Sequence[int]) -> list[Edit]:
    """With the comma before, or, of the first, the one after."""
    edits: list[Edit] = []
    first = 0
    for number in gone:
        if number == first:
            first += 1
        else:
            edits.append((items[number - 1].end, items[number].end, b""))
    if first:
        end = items[first].start if first < len(items) else items[first - 1].end
        edits.append((items[0].start, end, b""))
    return edits


def _items(body: bytes, raw: Raw, at: int) -> list[_Item]:
    if body[at] == OPEN:
        return _members(body, raw, at + 1)
    items: list[_Item] = []
    if body[at] == OPEN_ARRAY:
        at += 1
        for number, value in enumerate(ARRAY.decode(raw)):
            place = BETWEEN.match(body, at)
            start = place.end() if place else at
            at = start + len(value)
            items.append(_Item(number, start, start, at, value))
    return items


def _members(body: bytes, raw: Raw, at: int) -> list[_Item]:
    items = []
    for key, value in OBJECT.decode(raw).items():
        place = KEY.match(body, at)
        if place is None or place[1] != key.encode():
            raise ValueError("a key is doubled or escaped")
        at = place.end() + len(value)
        items.append(_Item(key, place.start(1) - 1, place.end(), at, value))
    if END.match(body, at) is None:
        raise ValueError("a key is doubled")
    return items
