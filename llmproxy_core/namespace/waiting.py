"""The events of a stream whose texts end within a word that may become a name: they wait."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from llmproxy_core.namespace.events import Event
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.mentions import words
from llmproxy_core.namespace.prose import NOWHERE, REFUSED, Block, Passage, Prose, Scope

MOST = 1000
"""Events that wait, and words that have begun."""
LARGEST = 2**20
"""Bytes of events that wait."""
ALIVE = re.compile(rb'"type"\s*+:\s*+"(?:ping|keepalive)"')
SMALL = 256
"""Bytes of an event that only keeps a connection alive."""

type Piece = tuple[Event, int, int]


class _Word:
    """A word whose end has not come yet. `pieces`: none if it is not a name in any case."""

    __slots__ = ("pieces", "so_far")

    def __init__(self) -> None:
        self.so_far = b""
        self.pieces: list[Piece] = []

    def add(self, event: Event, start: int, end: int) -> None:
        self.so_far += event.text[start:end]
        self.pieces.append((event, start, end))
        event.open_words += 1

    def drop(self) -> None:
        for event, _, _ in self.pieces:
            event.open_words -= 1
        self.pieces = []


class EventQueue(ABC):
    """Events that wait while a text in them may go on in a way that changes it (`open_words`), and
    with them all after them, but comments and pings, which keep a connection alive."""

    __slots__ = ("_size", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Event] = []
        self._size = 0

    def put(self, event: Event) -> list[bytes]:
        """What may go on, now that this event has come."""
        if event.passes or (len(event.text) < SMALL and ALIVE.search(event.text)):
            return [event.raw]
        self._waiting.append(event)
        self._size += len(event.raw)
        self.hear(event)
        if max(len(self._waiting), self.open) > MOST or self._size > LARGEST:
            self.give_up()
        return self._released()

    @property
    def idle(self) -> bool:
        return not self._waiting

    @property
    @abstractmethod
    def open(self) -> int:
        """How many texts are unfinished."""

    @abstractmethod
    def hear(self, event: Event) -> None:
        """Note what it changes, and what it leaves open."""

    @abstractmethod
    def forget(self) -> None:
        """What has begun is over; nothing waits for it."""

    @abstractmethod
    def give_up(self) -> None:
        """Wait for nothing any more: what has begun stays as it is."""

    @abstractmethod
    def end(self) -> None:
        """The end of the stream is the end of every text."""

    def rest(self) -> list[bytes]:
        """All that waits: no more comes."""
        self.end()
        return self._released()

    def finish(self) -> bytes:
        return b"".join(self.rest())

    def surrender(self) -> bytes:
        """All that waits, as it came."""
        waiting, self._waiting = self._waiting, []
        return b"".join(event.raw for event in waiting)

    def _released(self) -> list[bytes]:
        """From the first event to the one before that which waits."""
        sent = []
        for event in self._waiting:
            if event.open_words:
                break
            sent.append(event.sent)
            self._size -= len(event.raw)
        del self._waiting[: len(sent)]
        return sent


class Waiting(EventQueue):
    """`back`: from the sent names to the client's."""

    __slots__ = ("_back", "_grammar", "_open")

    def __init__(self, grammar: Node, back: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self._grammar = grammar
        self._back = back
        self._open: dict[Block, _Word] = {}

    @property
    def open(self) -> int:
        return len(self._open)

    def forget(self) -> None:
        self._open.clear()

    def hear(self, event: Event) -> None:
        passages, ends = self._read(event)
        heard: set[Block] = set()
        for passage in passages:
            if passage.block in heard:
                self._end(passage.block)
            self._hear(event, passage)
            if passage.place.goes_on:
                heard.add(passage.block)
        for block in [*self._open]:
            if block not in heard and any(end <= block[0] for end in ends):
                self._end(block)

    def end(self) -> None:
        for word in self._open.values():
            self._close(word)
        self._open.clear()

    def give_up(self) -> None:
        for word in self._open.values():
            word.drop()
        self._open.clear()

    def _read(self, event: Event) -> tuple[list[Passage], list[Scope]]:
        """An event that cannot be read says nothing, and ends all that was said."""
        prose = Prose(event.text)
        try:
            prose.read(self._grammar)
        except REFUSED:
            return [], [NOWHERE]
        return prose.passages, prose.ends or [NOWHERE]

    def _hear(self, event: Event, passage: Passage) -> None:
        start, end, place, _ = passage
        word = self._open.pop(passage.block, None) if place.goes_on else None
        if start == end:
            if word is not None:
                self._open[passage.block] = word
            return
        for first, last in words(event.text, start, end):
            if word is not None and first > start:
                self._close(word)
                word = None
            word = word or _Word()
            self._grow(word, event, first, last)
            start = last
            if last < end or not place.goes_on:
                self._close(word)
                word = None
        if word is not None:
            if start == end:
                self._open[passage.block] = word
            else:
                self._close(word)

    def _grow(self, word: _Word, event: Event, start: int, end: int) -> None:
        if word.so_far and not word.pieces:
            return
        word.add(event, start, end)
        if not any(sent.startswith(word.so_far) for sent in self._back):
            word.drop()

    def _end(self, block: Block) -> None:
        if word := self._open.pop(block, None):
            self._close(word)

    def _close(self, word: _Word) -> None:
        """Its end has come: if it is a name, it becomes the client's."""
        name = self._back.get(word.so_far)
        if word.pieces and name is not None:
            same = _same_end(word.so_far, name)  # stays in the events in which it is
            away, new = len(word.so_far) - same, name[: len(name) - same]
            for event, start, end in word.pieces:
                cut = min(away, end - start)
                if cut or new:
                    event.edits.append((start, start + cut, new))
                away, new = away - cut, b""
        word.drop()


def _same_end(one: bytes, other: bytes) -> int:
    """How many bytes at their ends are equal."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
