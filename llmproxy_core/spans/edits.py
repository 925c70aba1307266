"""A manifest as an edit of another one: which runs of its items come again, and the new items.

An edit is a list of steps. An odd number is a run of the base: half of it the place of its first
item, followed by how many; an even number is half as many new items, which follow. The hashes of
the new items stand apart from them, since they do not shrink and others want to know them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from llmproxy_core.spans.items import HASH, INLINE, Item, read_item
from llmproxy_core.spans.numbers import number, read_number

NEAR = 8
"""Items of the base in which is looked first for what comes next."""


class Edit(NamedTuple):
    """`hashes`: of the pieces that the new items name, in their order, joined."""

    hashes: bytes
    steps: bytes


def edit(items: Sequence[Item], base: Sequence[Item]) -> Edit:
    """What `apply` needs to make `items` of `base`; of an empty one where there is none."""
    named: list[bytes] = []
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
        out += (*_added(new, named), number(found << 1 | 1), number(length))
        new.clear()
        at += length
        place = found + length
    out += _added(new, named)
    return Edit(b"".join(named), b"".join(out))


def apply(edit: Edit, base: Sequence[Item]) -> list[Item]:
    """The manifest. Raises IndexError, ValueError where it is damaged, or of another base."""
    items: list[Item] = []
    for run, new in _steps(edit):
        if run is not None:
            start, length = run
            if start + length > len(base):
                raise IndexError(f"a run of {length} items from {start} of {len(base)}")
            items += base[start : start + length]
        items += new
    return items


def stored(hashes: bytes, steps: bytes) -> bytes:
    """An edit as it is stored; `steps` are packed by then."""
    return number(len(hashes) // HASH) + hashes + steps


def read_stored(data: bytes) -> Edit:
    """The two halves again, `steps` still packed. Raises IndexError where the data is damaged."""
    count, at = read_number(data, 0)
    end = at + count * HASH
    if end > len(data):
        raise IndexError("the data ends early")
    return Edit(data[at:end], data[end:])


def references(data: bytes) -> set[bytes]:
    """The hashes of the pieces that a stored edit names; those of its base left out."""
    hashes = read_stored(data).hashes
    return {hashes[at : at + HASH] for at in range(0, len(hashes), HASH)}


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


def _added(new: Sequence[Item], named: list[bytes]) -> Iterable[bytes]:
    """New items after how many they are; their hashes go to `named`."""
    if not new:
        return ()
    out = [number(len(new) << 1)]
    for item in new:
        if item[0] & 3 == INLINE:
            out.append(item)
        else:
            named.append(item[1 : 1 + HASH])
            out.append(item[:1] + item[1 + HASH :])
    return out


def _steps(edit: Edit) -> Iterator[tuple[tuple[int, int] | None, list[Item]]]:
    hashes, data = edit
    at = used = 0
    while at < len(data):
        step, at = read_number(data, at)
        if step & 1:
            length, at = read_number(data, at)
            yield (step >> 1, length), []
            continue
        new = []
        for _ in range(step >> 1):
            digest = b""
            if data[at] & 3 != INLINE:
                digest = hashes[used : used + HASH]
                used += HASH
            item, at = read_item(data, at, digest)
            new.append(item)
        yield None, new
