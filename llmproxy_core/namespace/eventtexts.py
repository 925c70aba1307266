"""An answer in any cuts, event by event, in which some texts have to wait for their continuation."""

import re
from collections import deque
from collections.abc import Iterable

from llmproxy_core.namespace.events import Event, Events, JsonEvents, TextEvents
from llmproxy_core.namespace.waiting import EventQueue

BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"


class EventTexts:
    """Raises on nothing.

    Asleep it only looks for what may begin something that is to be changed, and keeps the last
    events, whose texts may be the beginning of it. `fault`: what went wrong; from there on all
    passes as it came.
    """

    __slots__ = ("_begin", "_ends", "_events", "_lines", "_over", "_past", "_queue", "fault")

    def __init__(
        self,
        queue: EventQueue,
        begin: re.Pattern[bytes],
        *,
        events: Events | None = None,
        lines: bool = False,
        past: int = 0,
    ) -> None:
        """`begin`: what an event has in it that has to be looked at. `events`: how it is cut, if
        its first byte does not tell; `lines`: it is announced as one JSON text a line. `past`:
        chunks that are kept asleep."""
        self._queue = queue
        self._begin = begin
        self._ends = (b"\n",) if lines else (b"\n\n", b"\r\n\r\n")
        self._past: deque[bytes] = deque(maxlen=past)
        self._events = events
        self._lines = lines
        self._over = False
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> bytes:
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
                self._queue.hear(event)
        sent = self._put(self._events.feed(data))
        if self._over or self._events.full:
            self._over = True
            sent += self._queue.surrender() + self._events.last().raw
        return sent

    def finish(self) -> bytes:
        if self._events is None or self._over:
            return b""
        rest = self._put([self._events.last()])
        return rest if self._over else rest + self._queue.finish()

    def _kind(self, first: bytes) -> Events:
        if self._lines or first not in b"{[":
            return TextEvents(self._lines)
        return JsonEvents()

    def _sleeps(self, events: Events, data: bytes) -> bool:
        """Is it whole events without a sign of anything, while none waits?"""
        if (
            not isinstance(events, TextEvents)
            or not (events.between and self._queue.idle and data.endswith(self._ends))
            or self._begin.search(data)
        ):
            return False
        if len(self._past) == self._past.maxlen:
            self._queue.forget()
        self._past.append(data)
        return True

    def _put(self, events: Iterable[Event]) -> bytes:
        sent = []
        for event in events:
            if self._over:
                sent.append(event.raw)
                continue
            try:
                sent += self._queue.put(event)
            except Exception as exc:  # noqa: BLE001  fails open: the texts are the client's
                self.fault, self._over = exc, True
                sent.append(self._queue.surrender())
        return b"".join(sent)
