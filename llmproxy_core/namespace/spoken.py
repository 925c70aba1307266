"""Takes prefixes off the names that a model mentions in its texts, also of those that are streamed.

Where the text of an event ends with what may be the beginning of a sent name, the event waits, and
with it all after it, until the next event of its block decides. None is lost, changed otherwise,
or overtaken, but by comments and pings, which keep a connection alive.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from llmproxy_core.namespace.events import (
    Event,
    Events,
    FrameEvents,
    JsonArray,
    JsonText,
    TextEvents,
)
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.mentions import words
from llmproxy_core.namespace.prose import NOWHERE, REFUSED, Block, Passage, Prose, Scope

MOST = 1000
"""Events that wait."""
LARGEST = 2**20
"""Bytes of them."""
ALIVE = re.compile(rb'"type"\s*+:\s*+"(?:ping|keepalive)"')
SMALL = 256
"""Bytes of an event that only keeps a connection alive."""
BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"

type Piece = tuple[Event, int, int]


class Names(Protocol):
    """An answer whose names have been restored where names stand."""

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class SpokenNames:
    """An answer as `names` give it, with its texts as the client knows them. Raises on nothing.

    `fault`: what went wrong; from there on all passes as it came.
    """

    __slots__ = ("_events", "_frames", "_lines", "_names", "_over", "_words", "fault")

    def __init__(
        self, names: Names, grammar: Node, back: Mapping[bytes, bytes], *, frames: bool, lines: bool
    ) -> None:
        """`back`: from the sent names to the client's. `frames`: it is an AWS eventstream; `lines`:
        it is announced as one JSON text a line."""
        self._names = names
        self._words = Words(grammar, back)
        self._events: Events | None = FrameEvents() if frames else None
        self._lines = lines
        self._over = False
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> bytes:
        return self._changed(self._names.feed(data))

    def finish(self) -> bytes:
        rest = self._changed(self._names.finish())
        if self._events is None or self._over:
            return rest
        return rest + self._put([self._events.last()]) + self._words.finish()

    def _changed(self, data: bytes) -> bytes:
        if self._over or not data:
            return data
        if self._events is None:
            first = data.lstrip(BOM_OR_BLANK)[:1]
            if not first:
                return data
            self._events = self._kind(first)
        sent = self._put(self._events.feed(data))
        return sent + self._surrendered() if self._events.full else sent

    def _kind(self, first: bytes) -> Events:
        if self._lines or first not in b"{[":
            return TextEvents(self._lines)
        return JsonArray() if first == b"[" else JsonText()

    def _put(self, events: Iterable[Event]) -> bytes:
        sent = []
        for event in events:
            if self._over:
                sent.append(event.raw)
                continue
            try:
                sent += self._words.put(event)
            except Exception as exc:  # noqa: BLE001  fails open: the texts are the client's
                self.fault = exc
                sent.append(self._surrendered())
        return b"".join(sent)

    def _surrendered(self) -> bytes:
        """All that is held, as it came."""
        self._over = True
        rest = self._events.last().raw if self._events else b""
        return self._words.surrender() + rest


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


class Words:
    """The events of a stream, and which of them wait."""

    __slots__ = ("_back", "_grammar", "_open", "_size", "_waiting")

    def __init__(self, grammar: Node, back: Mapping[bytes, bytes]) -> None:
        self._grammar = grammar
        self._back = back
        self._open: dict[Block, _Word] = {}
        self._waiting: list[Event] = []
        self._size = 0

    def put(self, event: Event) -> list[bytes]:
        """What may go on, now that this event has come."""
        if event.passes or (len(event.text) < SMALL and ALIVE.search(event.text)):
            return [event.raw]
        self._waiting.append(event)
        self._size += len(event.raw)
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
        if len(self._waiting) > MOST or self._size > LARGEST:
            self._give_up()
        return self._released()

    def finish(self) -> bytes:
        """The end of the stream is the end of every word."""
        for word in self._open.values():
            self._close(word)
        self._open.clear()
        return b"".join(self._released())

    def surrender(self) -> bytes:
        """All that waits, as it came."""
        waiting, self._waiting = self._waiting, []
        return b"".join(event.raw for event in waiting)

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
            away = len(word.so_far) - len(name) if word.so_far.endswith(name) else len(word.so_far)
            new = b"" if word.so_far.endswith(name) else name
            for event, start, end in word.pieces:
                cut = min(away, end - start)
                if cut or new:
                    event.edits.append((start, start + cut, new))
                away, new = away - cut, b""
        word.drop()

    def _give_up(self) -> None:
        for word in self._open.values():
            word.drop()

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
