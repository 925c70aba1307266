"""Events of a stream are alike but for a few values: what one looks like, the next need not be read.

A shape is a regular expression made of an event, with a hole for each value that may be another in
the next event. It is kept for all streams, as a provider's events are alike in all of them.
"""

import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.masking.pieces import CONSTANTS, Value, block, goes_on, places, repeats, values
from llmproxy_core.spans.recent import Recent

LONGEST = 4096
"""Bytes of an event that is remembered as a shape."""
MOST_HOLES = 32
HEAD = 8
"""Bytes by which shapes are found."""
MOST = 64
"""Shapes that begin alike, the ones used last."""
HEADS = 512
SEEN = 1024
"""Shapes that have been seen once."""
STRING = rb'((?:[^"\\]++|\\.)*+)'
NUMBER = rb"-?\d[\d.eE+-]*+"
LITERAL = frozenset({b"type", b"object", b"role", b"event"})
"""Keys of strings by which shapes differ."""


class Going(NamedTuple):
    """A text that goes on: its group, its path, and the groups that tell its block."""

    group: int
    path: tuple[bytes, ...]
    block: tuple[int, ...]

    def channel(self, found: re.Match[bytes]) -> Hashable:
        return self.path, tuple(found[group] for group in self.block)


class Shape:
    """`going`: texts that go on; `whole`: groups of all other strings, with what is said before
    each; `places`: groups of what tells the blocks of texts."""

    __slots__ = ("going", "match", "places", "whole")

    def __init__(
        self,
        pattern: bytes,
        going: tuple[Going, ...],
        whole: tuple[tuple[int, bytes], ...],
        places: tuple[int, ...],
    ) -> None:
        self.match = re.compile(pattern, re.DOTALL).fullmatch
        self.going = going
        self.whole = whole
        self.places = places


class Shapes:
    """Of one process; not thread-safe."""

    def __init__(self) -> None:
        self._known: Recent[bytes, list[Shape]] = Recent(HEADS)
        self._seen: Recent[Hash, bool] = Recent(SEEN)

    def find(self, event: bytes) -> tuple[Shape, re.Match[bytes]] | None:
        """The shape of an event, if it is known."""
        shapes = self._known.get(event[:HEAD])
        if shapes is None:
            return None
        for at, shape in enumerate(shapes):
            if found := shape.match(event):
                if at:
                    shapes.insert(0, shapes.pop(at))
                return shape, found
        return None

    def learn(self, event: bytes) -> None:
        """Remember what this event looks like, if another did before."""
        if len(event) > LONGEST:
            return
        found = values(event)
        if len(found) > MOST_HOLES or any(one.broken for one in found):
            return
        pattern, groups = _pattern(event, found)
        key = content_hash(pattern)
        if self._seen.get(key) is None:
            self._seen[key] = True
            return
        shapes = self._known.get(event[:HEAD])
        if shapes is None:
            shapes = self._known[event[:HEAD]] = []
        shapes.insert(0, _shape(event, pattern, found, groups))
        del shapes[MOST:]


def alike(
    shape: Shape, first: re.Match[bytes], events: Sequence[bytes], at: int
) -> list[re.Match[bytes]]:
    """The events of one shape and block, from the first on."""
    run, match, places = [first], shape.match, shape.places
    block = first.group(*places) if places else None
    for number in range(at + 1, len(events)):
        found = match(events[number])
        if found is None or (places and found.group(*places) != block):
            break
        run.append(found)
    return run


def _pattern(event: bytes, found: list[Value]) -> tuple[bytes, dict[int, int]]:
    """The expression, and by the place of a value in `found` the number of its group."""
    parts, at, groups = list[bytes](), 0, dict[int, int]()
    for number, one in enumerate(found):
        if one.text and one.key in LITERAL:
            continue
        parts.append(re.escape(event[at : one.start]))
        if one.text or one.place:
            groups[number] = len(groups) + 1
            parts.append(STRING if one.text else b"(" + NUMBER + b")")
        else:
            parts.append(NUMBER)
        at = one.end
    return b"".join([*parts, re.escape(event[at:])]), groups


def _shape(event: bytes, pattern: bytes, found: list[Value], groups: dict[int, int]) -> Shape:
    told, whole = places(found), repeats(event)
    number = {(one.start, one.end): at for at, one in enumerate(found)}
    going, others = list[Going](), list[tuple[int, bytes]]()
    for at, group in groups.items():
        one = found[at]
        if one.text and one.key not in CONSTANTS and goes_on(one, whole):
            block_groups = tuple(
                groups[number[place.start, place.end]] for place in block(one, told)
            )
            going.append(Going(group, one.path, block_groups))
        elif one.text:
            others.append((group, b'"%b": "' % one.key))
    told_by = dict.fromkeys(group for one in going for group in one.block)
    return Shape(pattern, tuple(going), tuple(others), tuple(told_by))
