"""The events of an answer that wait while a text in them ends with the beginning of a placeholder."""

from typing import NamedTuple

from llmproxy_core.masking.pieces import (
    CONSTANTS,
    TOKEN,
    Value,
    block,
    goes_on,
    places,
    repeats,
    values,
)
from llmproxy_core.namespace.events import Event
from llmproxy_core.namespace.waiting import EventQueue
from llmproxy_core.redaction.leaves import positions, text_of
from llmproxy_core.redaction.nesting import PLACEHOLDER, Nesting
from llmproxy_core.redaction.occurrences import utf8
from llmproxy_core.redaction.sent_values import SentValues, escaped, instead
from llmproxy_core.redaction.signed_blocks import answered_thoughts

type Place = tuple[bytes, ...]
type Channel = tuple[Place, Place]
"""The keys that lead to a text, and what tells its block."""


type _Change = tuple[int, int, bytes]
"""Characters of the joined parts, and what takes their place."""


class _Part(NamedTuple):
    """A string of an event, and what it says."""

    event: Event
    start: int
    raw: bytes
    text: str


class _Tail(NamedTuple):
    """What a text ends with that may be the beginning of a placeholder: `text` is said by the last
    characters of the parts."""

    parts: list[_Part]
    begin: int
    """Characters of the first part that are before it."""


class Returning(EventQueue):
    """`values` may become others, as long as none goes."""

    __slots__ = ("_nestings", "_signed", "_tails", "values")

    def __init__(self, wire: str, values: SentValues) -> None:
        super().__init__()
        self.values = values
        self._signed = answered_thoughts(wire)
        self._tails: dict[Channel, _Tail] = {}
        self._nestings: dict[Channel, Nesting] = {}

    @property
    def open(self) -> int:
        return len(self._tails)

    def forget(self) -> None:
        self._tails.clear()

    def give_up(self) -> None:
        for tail in self._tails.values():
            _let_go(tail.parts)
        self._tails.clear()

    def end(self) -> None:
        self.give_up()
        self._nestings.clear()

    def hear(self, event: Event) -> None:
        found = values(event.text)
        told, whole = places(found), repeats(event.text)
        heard: set[Channel] = set()
        blocks: set[Place] = set()
        for one in found:
            of = tuple(event.text[place.start : place.end] for place in block(one, told))
            blocks.add(of)
            if not one.text:
                self._number(event, one)
            elif one.path not in self._signed:
                channel = (one.path, of)
                lasts = goes_on(one, whole) and one.key not in CONSTANTS
                self._hear(_part(event, one), channel, lasts)
                heard.add(channel)
        self._end_others(heard, blocks or {()})
        if any(self.values.found(event.text.decode("latin-1"))):
            self._keys(event)

    def _hear(self, part: _Part, channel: Channel, lasts: bool) -> None:
        """`lasts`: the text may go on in the next event."""
        tail = self._tails.pop(channel, None)
        parts = [*(tail.parts if tail else ()), part]
        text, done = "".join(one.text for one in parts), tail.begin if tail else 0
        nesting, changes = self._nesting(channel), list[_Change]()
        for found in self.values.found(text, done):
            depth = escapes = 0
            if nesting is not None:
                nesting.feed(text[done : found.start()])
                depth, escapes = nesting.depth, nesting.escapes
                nesting.feed(PLACEHOLDER)
            value = instead(self.values.back[found[0]], depth, escapes)
            changes.append((*found.span(), value))
            done = found.end()
        if changes:
            _replace(parts, changes)
        begin = self.values.begins(text, done) if lasts else len(text)
        if nesting is not None:
            nesting.feed(text[done:begin])
        if not lasts:
            self._nestings.pop(channel, None)
        _let_go(parts[:-1])
        if begin < len(text):
            self._tails[channel] = _held(parts, begin)

    def _nesting(self, channel: Channel) -> Nesting | None:
        return self._nestings.setdefault(channel, Nesting()) if self.values.escapes else None

    def _number(self, event: Event, one: Value) -> None:
        """A number in place of a number."""
        value = self.values.back.get(event.text[one.start : one.end].decode("latin-1"), "")
        if value.isascii() and value.isdigit() and not value.startswith("0"):
            event.edits.append((one.start, one.end, value.encode()))

    def _keys(self, event: Event) -> None:
        """Keys of objects: a tool may have asked for some."""
        for token in TOKEN.finditer(event.text):
            if token[2]:
                part = _Part(event, token.start(1), token[1], text_of(token[1]))
                found = self.values.found(part.text)
                _replace([part], [(*f.span(), escaped(self.values.back[f[0]], 1)) for f in found])

    def _end_others(self, heard: set[Channel], blocks: set[Place]) -> None:
        """An event of the same block that does not go on with a text ends it."""
        ends = [one for one in blocks if not any(_within(other, one) for other in blocks)]
        for channel in [*self._tails]:
            of = channel[1]
            same = any(one[: len(of)] == of or of[: len(one)] == one for one in ends)
            if channel not in heard and same:
                _let_go(self._tails.pop(channel).parts)


def _part(event: Event, one: Value) -> _Part:
    raw = event.text[one.start : one.end]
    return _Part(event, one.start, raw, text_of(raw))


def _held(parts: list[_Part], begin: int) -> _Tail:
    """The parts from this character on; their events wait."""
    while begin >= len(parts[0].text):
        begin -= len(parts.pop(0).text)
    for part in parts:
        part.event.open_words += 1
    return _Tail(parts, begin)


def _let_go(parts: list[_Part]) -> None:
    for part in parts:
        part.event.open_words -= 1


def _replace(parts: list[_Part], changes: list[_Change]) -> None:
    """Of a value over several parts the first gets all."""
    before = 0
    for part in parts:
        size = len(part.text)
        here = [
            (max(start - before, 0), min(end - before, size), value if start >= before else b"")
            for start, end, value in changes
            if start < before + size and end > before
        ]
        edges = _encoded(part.text, [at for start, end, _ in here for at in (start, end)])
        at = [part.start + edge for edge in positions(part.raw, edges)]
        values = [value for _, _, value in here]
        part.event.edits += zip(at[::2], at[1::2], values, strict=True)
        before += size


def _encoded(text: str, characters: list[int]) -> list[int]:
    """Offsets into the text -> into its UTF-8. In order."""
    if text.isascii():
        return characters
    found, done, size = list[int](), 0, 0
    for at in characters:
        size, done = size + len(utf8(text[done:at])), at
        found.append(size)
    return found


def _within(other: Place, one: Place) -> bool:
    return len(other) > len(one) and other[: len(one)] == one
