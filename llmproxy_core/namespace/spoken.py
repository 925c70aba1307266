"""Takes prefixes off the names that a model mentions in its texts, also of those that are streamed.

Where the text of an event ends with what may be the beginning of a sent name, the event waits, and
with it all after it, until the next event of its block decides. None is lost, changed otherwise,
or overtaken, but by comments and pings, which keep a connection alive.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from llmproxy_core.namespace.events import Event, Events, FrameEvents, JsonEvents, TextEvents
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.waiting import Waiting

PAST = 8
"""Chunks that are kept asleep."""
BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"


class Names(Protocol):
    """An answer whose names have been restored where names stand."""

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class SpokenNames:
    """An answer as `names` give it, with its texts as the client knows them. Raises on nothing.

    Asleep it only looks for what may begin a name, and keeps the last events, whose texts may be
    the beginning of a word. `fault`: what went wrong; from there on all passes as it came.
    """

    __slots__ = ("_begin", "_ends", "_events", "_lines", "_names", "_over", "_past", "_waiting",
                 "fault")  # fmt: skip

    def __init__(
        self,
        names: Names,
        grammar: Node,
        back: Mapping[bytes, bytes],
        prefix: bytes,
        *,
        frames: bool,
        lines: bool,
    ) -> None:
        """`back`: from the sent names, which all have the prefix, to the client's. `frames`: it is
        an AWS eventstream; `lines`: it is announced as one JSON text a line."""
        self._names = names
        self._waiting = Waiting(grammar, back)
        self._begin = _beginning(prefix)
        self._ends = (b"\n",) if lines else (b"\n\n", b"\r\n\r\n")
        self._past: deque[bytes] = deque(maxlen=PAST)
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
        rest += self._put([self._events.last()])
        return rest if self._over else rest + self._waiting.finish()

    def _changed(self, data: bytes) -> bytes:
        if self._over or not data:
            return data
        if self._events is None:
            first = data.lstrip(BOM_OR_BLANK)[:1]
            if not first:
                return data
            self._events = self._kind(first)
        if self._sleeps(self._events, data):
            return data
        while self._past:
            for event in TextEvents(self._lines).feed(self._past.popleft()):
                self._waiting.hear(event)
        sent = self._put(self._events.feed(data))
        if self._over or self._events.full:
            self._over = True
            sent += self._waiting.surrender() + self._events.last().raw
        return sent

    def _kind(self, first: bytes) -> Events:
        if self._lines or first not in b"{[":
            return TextEvents(self._lines)
        return JsonEvents()

    def _sleeps(self, events: Events, data: bytes) -> bool:
        """Is it whole events without a sign of a name, while none waits?"""
        if (
            not isinstance(events, TextEvents)
            or not (events.between and self._waiting.idle and data.endswith(self._ends))
            or self._begin.search(data)
        ):
            return False
        if len(self._past) == PAST:
            self._waiting.forget()
        self._past.append(data)
        return True

    def _put(self, events: Iterable[Event]) -> bytes:
        sent = []
        for event in events:
            if self._over:
                sent.append(event.raw)
                continue
            try:
                sent += self._waiting.put(event)
            except Exception as exc:  # noqa: BLE001  fails open: the texts are the client's
                self.fault, self._over = exc, True
                sent.append(self._waiting.surrender())
        return b"".join(sent)


def _beginning(prefix: bytes) -> re.Pattern[bytes]:
    """What a text has in it, or at its end, if a name with this prefix may begin there."""
    ends = [re.escape(prefix[:size]) + b'"' for size in range(1, len(prefix))]
    return re.compile(b"|".join([re.escape(prefix), *ends]))
