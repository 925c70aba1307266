"""Finds the names of tools in a JSON text that is all there: as `walk`, and several times faster.

msgspec says how long each value is, so that what is of no interest is not looked at. What it
refuses, and keys that are repeated or escaped, are left to the `Walker`.
"""

import re

import msgspec

from llmproxy_core.hashing import content_hash
from llmproxy_core.namespace.grammar import KEYS, Facts, Name, Node
from llmproxy_core.namespace.walk import (
    BETWEEN,
    BLANK,
    CLOSE,
    LONGEST,
    OPEN,
    OPEN_ARRAY,
    QUOTE,
    Found,
    Walker,
    fitting,
)
from llmproxy_core.providers.parsing import parse
from llmproxy_core.spans.recent import Recent

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
KEY = re.compile(rb'[\s,]*+"([^"\\]*+)"\s*+:\s*+')
END = re.compile(rb"\s*+\}")
BEGINNINGS = b'{["-0123456789tfn'
"""Of JSON texts."""
SPACE = 0x20
LEVELS = 24
"""Of values in values that are read this way: each is read again with all that is in it."""

type Raw = bytes | msgspec.Raw


class Damaged(Exception):
    """A text that is no JSON, or not all of it."""


class _Odd(Exception):
    """A text that only the walker reads."""


WORTH = 64
"""Bytes of an element that is remembered."""
FEW, SHORT = 8, 128
"""Names of an element that is remembered, and bytes of each: an upper bound for memory."""
MANY = 256
"""Keys of a text of which is known what stands around them."""

type Kept = tuple[int, int, bytes, Name, tuple[Facts, ...]]
"""A name of an element: where it begins and ends in it, itself, and what is around it."""
type Seen = Recent[tuple[int, bytes], tuple[Kept, ...]]
"""Names of elements that have been read, by the node that leads to them and their hash."""
type Fields = dict[str, msgspec.Raw]
"""The values of an object, unread."""


def fields_of(text: bytes) -> Fields:
    """Of an object; none of anything else."""
    try:
        return OBJECT.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}


def names_in(
    text: bytes,
    grammar: Node,
    words: tuple[bytes, ...],
    fields: Fields | None = None,
    seen: Seen | None = None,
) -> list[Found]:
    """All names of a text, in order.

    `words`: of the grammar, see `grammar.words`. `fields`: of the text, if they are known. `seen`
    knows what earlier texts had.

    Raises:
        Damaged: the text is no JSON, or not all of it.
    """
    found = _Names(text, words, seen)
    start = BLANK.match(text)
    at = start.end() if start else 0
    if at == len(text):
        return []
    if text[at] not in BEGINNINGS:
        raise Damaged
    try:
        if fields and not at and isinstance(grammar, dict):
            found.members(fields, 1, grammar, ({}, {}), LEVELS)
        else:
            found.value(text[at:] if at else text, at, grammar, ({}, {}), LEVELS)
    except (_Odd, msgspec.MsgspecError, RecursionError, ValueError, IndexError):
        walker = Walker(grammar)
        names = walker.feed(text)
        if walker.lost or walker.blind or not walker.between or parse(text)[1] is not None:
            raise Damaged from None
        return names
    return found.names


class _Names:
    """What stands between the values of a text, it learns: mostly it is the same each time."""

    __slots__ = ("_between", "_first", "_later", "names", "seen", "text", "words")

    def __init__(self, text: bytes, words: tuple[bytes, ...], seen: Seen | None) -> None:
        self.text = text
        self.words = words
        self.seen = seen
        self.names: list[Found] = []
        self._first: dict[str, bytes] = {}
        self._later: dict[str, bytes] = {}
        """What leads from one value to the next, by its key: `, "key": `."""
        self._between = b", {"

    def value(self, raw: Raw, at: int, node: Node, around: tuple[Facts, ...], levels: int) -> None:
        """The names in the value at `at`, which is `raw`."""
        if not levels:
            raise _Odd
        first = self.text[at]
        if first == OPEN:
            if (members := fitting(node, dict)) is not None:
                self.members(OBJECT.decode(raw), at + 1, members, around, levels)
        elif first == OPEN_ARRAY:
            if (elements := fitting(node, list)) is not None:
                self._array(raw, at, elements[0], around, levels)
        elif first == QUOTE and (place := fitting(node, Name)) is not None:
            end = at + len(raw)
            if self.text[at:end] != bytes(raw):
                raise _Odd
            self.names.append(Found(at + 1, end - 1, place, around))

    def members(
        self,
        fields: Fields,
        at: int,
        members: dict[str, Node],
        outside: tuple[Facts, ...],
        levels: int,
    ) -> None:
        """The names in an object of these fields, the first of which begins at `at`."""
        facts: Facts = {}
        around = (facts, outside[0])
        text, leads = self.text, self._first
        for key, value in fields.items():
            lead = leads.get(key)
            start = at if lead is None else at + len(lead)
            if lead is None or not text.startswith(lead, at) or text[start] <= SPACE:
                start = self._learn(leads, key, at)
            leads = self._later
            at = start + len(value)
            if key in members:
                self.value(value, start, members[key], around, levels - 1)
            if key in KEYS and text[start] == QUOTE:
                facts[key] = text[start + 1 : min(at - 1, start + LONGEST)].decode(
                    "utf-8", "replace"
                )
        if text[at] != CLOSE and END.match(text, at) is None:
            raise _Odd  # a key came twice

    def _learn(self, leads: dict[str, bytes], key: str, at: int) -> int:
        """Where the value of this key begins."""
        place = KEY.match(self.text, at)
        if place is None or place[1] != key.encode():
            raise _Odd
        if place.end() - at <= SHORT and len(leads) < MANY:
            leads[key] = place[0]
        return place.end()

    def _array(self, raw: Raw, at: int, node: Node, around: tuple[Facts, ...], levels: int) -> None:
        text, seen = self.text, self.seen
        at += 1
        for element in ARRAY.decode(raw):
            if text.startswith(self._between, at):
                start = at + len(self._between) - 1
            else:
                start = self._begin(at)
            at = start + len(element)
            if text[start] != OPEN or seen is None or at - start < WORTH:
                self._element(element, start, at, node, around, levels)
                continue
            key = (id(node), content_hash(element))
            known = seen.get(key)
            if known is None or not self._recall(known, start):
                before = len(self.names)
                self._element(element, start, at, node, ({}, {}), levels)
                self._remember(key, before, start)

    def _begin(self, at: int) -> int:
        """Where the element begins."""
        place = BETWEEN.match(self.text, at)
        start = place.end() if place else at
        if self.text[start] == OPEN and 0 < start - at <= SHORT:
            self._between = self.text[at : start + 1]
        return start

    def _element(
        self, raw: Raw, start: int, end: int, node: Node, around: tuple[Facts, ...], levels: int
    ) -> None:
        text = self.text
        if text[start] != OPEN:
            self.value(raw, start, node, around, levels - 1)
            return
        for word in self.words:
            if text.find(word, start, end) >= 0:
                self.value(raw, start, node, around, levels - 1)
                return

    def _remember(self, key: tuple[int, bytes], before: int, origin: int) -> None:
        """What was found since there were so many names: an upper bound for memory each."""
        text, kept = self.text, []
        for one in self.names[before : before + FEW + 1]:
            if one.end - one.start > SHORT:
                return
            name = text[one.start : one.end]
            kept.append((one.start - origin, one.end - origin, name, one.place, one.around))
        if self.seen is not None and len(kept) <= FEW:
            self.seen[key] = tuple(kept)

    def _recall(self, known: tuple[Kept, ...], origin: int) -> bool:
        """Are the names where they were in the same element? Else its hash has deceived us."""
        names = []
        for start, end, name, place, around in known:
            if self.text[origin + start : origin + end] != name:
                return False
            names.append(Found(origin + start, origin + end, place, around))
        self.names += names
        return True
