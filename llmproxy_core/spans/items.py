"""Items: how a manifest names the pieces of its document, each a few bytes.

    0  length bytes                        the piece itself
    1  hash                                the piece with that hash
    2  hash count (place length bytes)*    the same, with bytes put in at places of the result

The lowest two bits of the first byte say which; the next two, what separates the piece from the
one before it, so that the elements of an array are the same in any place of it.
"""

from collections.abc import Iterable, Mapping

from llmproxy_core.spans.numbers import counted, number, read_counted, read_number

type Item = bytes
type Inserts = tuple[tuple[int, bytes], ...]
"""(place in the result, what stands there), in order."""

INLINE, PIECE, PATCHED = range(3)
SEPARATORS = (b"", b",", b", ", b",\n")
HASH = 16


def inline(data: bytes) -> Item:
    return b"\x00" + counted(data)


def piece(digest: bytes, separator: int = 0, inserts: Inserts = ()) -> Item:
    """`separator`: an index of SEPARATORS."""
    if not inserts:
        return bytes((PIECE | separator << 2,)) + digest
    places = b"".join(number(place) + counted(data) for place, data in inserts)
    return bytes((PATCHED | separator << 2,)) + digest + number(len(inserts)) + places


def inserted(data: bytes, inserts: Inserts) -> bytes:
    """The data with the inserts at their places."""
    out: list[bytes] = []
    done = length = 0
    for place, text in inserts:
        kept = data[done : done + place - length]
        out += (kept, text)
        done += len(kept)
        length = place + len(text)
    out.append(data[done:])
    return b"".join(out)


def hashes(items: Iterable[Item]) -> set[bytes]:
    """Of the pieces that must be fetched to `join` the items."""
    return {item[1 : 1 + HASH] for item in items if item[0] & 3 != INLINE}


def join(items: Iterable[Item], pieces: Mapping[bytes, bytes]) -> bytes:
    """The document. Raises KeyError with the hash of a piece that is not in `pieces`."""
    out = []
    for item in items:
        kind = item[0]
        if kind & 3 == INLINE:
            out.append(read_counted(item, 1)[0])
            continue
        data = pieces[item[1 : 1 + HASH]]
        if kind & 3 == PATCHED:
            data = inserted(data, _inserts(item))
        out += (SEPARATORS[kind >> 2], data)
    return b"".join(out)


def read_item(data: bytes, at: int, digest: bytes) -> tuple[Item, int]:
    """(item, position after it), where its hash does not stand in the data but is `digest`.

    Raises IndexError, ValueError where the data is damaged.
    """
    kind = data[at]
    if kind == INLINE:
        end = read_counted(data, at + 1)[1]
    elif kind & 3 in (PIECE, PATCHED) and kind < 16 and len(digest) == HASH:
        end = at + 1
        if kind & 3 == PATCHED:
            count, end = read_number(data, end)
            for _ in range(count):
                end = read_counted(data, read_number(data, end)[1])[1]
    else:
        raise ValueError(f"unknown kind of item: {kind}")
    return data[at : at + 1] + digest + data[at + 1 : end], end


def _inserts(item: Item) -> Inserts:
    count, at = read_number(item, 1 + HASH)
    found = []
    for _ in range(count):
        place, at = read_number(item, at)
        text, at = read_counted(item, at)
        found.append((place, text))
    return tuple(found)
