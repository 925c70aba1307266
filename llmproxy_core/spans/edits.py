"""A manifest as an edit of another one: which runs of its items come again, and the new items.

An edit is a list of steps. An odd number is a run of the base: half of it the place of its first
item, followed by how many; an even number is half as many new items, which follow.
"""

from collections.abc import Iterable, Iterator, Sequence

from llmproxy_core.spans.items import Item, hashes, read_item
from llmproxy_core.spans.numbers import number, read_number

NEAR = 8
"""Items of the base in which is looked first for what comes next."""


def edit(items: Sequence[Item], base: Sequence[Item]) -> bytes:
    """What `apply` needs to make `items` of `base`; of an empty one where there is none."""
    out: list[bytes] = []
    new: list[Item] = []
    places: dict[Item, int] | None = None
    at = place = 0
    while at < len(items):
        found = _near(items[at], base, place)
        if found < 0 and len(items[at]) > NEAR and len(base) > NEAR:
            if places is None:
                places = {item: n for n, item in enumerate(base)}
            found = places.get(items[at], -1)
        if found < 0:
            new.append(items[at])
            at += 1
            continue
        length = _run(items, at, base, found)
        out += (*_added(new), number(found << 1 | 1), number(length))
        new.clear()
        at += length
        place = found + length
    return b"".join((*out, *_added(new)))


def apply(data: bytes, base: Sequence[Item]) -> list[Item]:
    """The manifest. Raises IndexError, ValueError where it is damaged, or of another base."""
    items: list[Item] = []
    for run, new in _steps(data):
        if run is not None:
            start, length = run
            if start + length > len(base):
                raise IndexError(f"a run of {length} items from {start} of {len(base)}")
            items += base[start : start + length]
        items += new
    return items


def references(data: bytes) -> set[bytes]:
    """The hashes of the pieces that an edit itself names, those of its base left out."""
    return {found for _, new in _steps(data) for found in hashes(new)}


def _near(item: Item, base: Sequence[Item], place: int) -> int:
    for near in range(place, min(place + NEAR, len(base))):
        if base[near] is item or base[near] == item:
            return near
    return -1


def _run(items: Sequence[Item], at: int, base: Sequence[Item], place: int) -> int:
    """How many items are the same from there on."""
    most = min(len(items) - at, len(base) - place)
    for n in range(1, most):
        mine, other = items[at + n], base[place + n]
        if mine is not other and mine != other:
            return n
    return most


def _added(new: Sequence[Item]) -> Iterable[bytes]:
    return (number(len(new) << 1), *new) if new else ()


def _steps(data: bytes) -> Iterator[tuple[tuple[int, int] | None, list[Item]]]:
    at = 0
    while at < len(data):
        step, at = read_number(data, at)
        if step & 1:
            length, at = read_number(data, at)
            yield (step >> 1, length), []
            continue
        new = []
        for _ in range(step >> 1):
            item, at = read_item(data, at)
            new.append(item)
        yield None, new
