"""The gate in an answer that comes as bytes."""

from codecs import IncrementalDecoder, getincrementaldecoder

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.events import DATA, Events, FrameEvents, JsonEvents, TextEvents
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.wide import BEGINS, TELLING, wide_encoding
from llmproxy_core.toolgate.call import Format
from llmproxy_core.toolgate.formats import FORMATS
from llmproxy_core.toolgate.gate import Gate, Judge, Script, may_call
from llmproxy_core.toolgate.scripts import Chunks, Json, Lines, Messages, Sse

BOM = b"\xef\xbb\xbf"
BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"
ENVELOPED = "bedrock.invoke"
FRAMED = "bedrock."
"""Wires of which an answer may be an eventstream, whatever it is told to be."""
LIMIT = 32 * 2**20


class ToolGate:
    """A stage that holds each call of a tool until `judge` has decided, see `rewriting`. Texts go
    on; the bytes of a call that may go on are those that came. Raises on nothing.

    How an answer is to be read its first byte tells, as clients go by what they asked for and not
    by its content type. `limit`: bytes that are held. `closed`: after a fault of ours, or where no
    more events can be told apart, or an event may have a call and cannot be read, nothing goes on
    any more; else all does as it comes. `fault` tells.
    """

    __slots__ = ("_begun", "_closed", "_decoder", "_format", "_frames", "_judge", "_limit", "_lines", "_over",
                 "_way", "_wire", "fault")  # fmt: skip

    def __init__(
        self, wire: str, headers: Headers, judge: Judge, *, limit: int = LIMIT, closed: bool = False
    ) -> None:
        told = content_type(header(headers, "content-type") or "")
        self._wire = wire
        self._frames = False
        self._lines = told.lines
        self._judge = judge
        self._limit = limit
        self._closed = closed
        self._format: Format | None = FORMATS[wire]() if wire in FORMATS else None
        self._way: tuple[Events, Gate] | None = None
        self._begun = b""
        self._decoder: IncrementalDecoder | None = None
        self._over = self._format is None
        self.fault: Exception | None = None

    def idle(self, body: bytes) -> bool:
        """Is there no word of a call?"""
        if self._format is None:
            return True
        return b"\0" not in body[:TELLING] and not may_call(body, self._format.words)

    def feed(self, data: bytes) -> bytes:
        if self._over:
            return self._passed(data)
        if self._decoder is not None:
            data = self._decoder.decode(data).encode()
        if self._begun:
            data, self._begun = self._begun + data, b""
        if self._way is None and self._wire.startswith(FRAMED):
            self._frames = data[:1] == b"\0"
        if data[-1:] == b"\r" and not self._frames:  # the newline belongs to it
            data, self._begun = data[:-1], b"\r"
            if not data:
                return b""
        if self._way is None:
            return self._begin(data)
        events, gate = self._way
        if isinstance(events, TextEvents) and gate.idle and events.between:
            ends = (b"\n",) if self._lines else (b"\n\n", b"\r\n\r\n")
            if data.endswith(ends) and gate.sleeps(data):
                return data
        return self._put(events, gate, data)

    def _begin(self, data: bytes) -> bytes:
        """A byte order mark goes ahead, as it is no part of the first event."""
        if self._frames:
            self._way = self._started(b"")
            return self._put(*self._way, data)
        if wide := wide_encoding(data):
            self._decoder = getincrementaldecoder(wide)("replace")
            data = self._decoder.decode(data + self._begun).encode()
            self._begun = b""
        first = data.lstrip(BOM_OR_BLANK)[:1]
        if not first or (len(data) < TELLING and first in BEGINS):
            self._begun = data + self._begun
            return b""
        head = BOM if data.startswith(BOM) else b""
        self._way = self._started(first)
        return head + self._put(*self._way, data.removeprefix(BOM))

    def finish(self) -> bytes:
        """The end of the stream is that of every call."""
        begun, self._begun = self._begun, b""
        if self._over or self._way is None:
            return self._passed(begun)
        events, gate = self._way
        sent = [self._put(events, gate, begun)] if begun else []
        try:
            last = events.last()
            if last.raw:
                as_events = isinstance(events, JsonEvents) and DATA in last.raw
                gate.put(last, sent, broken=not as_events)
            self.fault = self.fault or gate.unread
            gate.settle("ended", sent)
        except Exception as exc:  # noqa: BLE001  fails as was asked for
            sent.append(self._failed(exc, gate, b""))
        return b"".join(sent)

    def _put(self, events: Events, gate: Gate, data: bytes) -> bytes:
        found = events.feed(data)
        sent: list[bytes] = []
        for at, event in enumerate(found, 1):
            try:
                gate.put(event, sent)
            except Exception as exc:  # noqa: BLE001  fails as was asked for
                rest = b"".join(one.raw for one in found[at:]) + events.last().raw
                return b"".join(sent) + self._failed(exc, gate, rest)
        self.fault = self.fault or gate.unread
        if events.full:
            unread = ValueError("an event is damaged, or too large to be read")
            return b"".join(sent) + self._failed(unread, gate, events.last().raw)
        return b"".join(sent)

    def _failed(self, exc: Exception, gate: Gate, rest: bytes) -> bytes:
        self.fault, self._over = exc, True
        begun, self._begun = self._begun, b""
        return self._passed(b"".join(gate.surrender()) + rest + begun)

    def _passed(self, data: bytes) -> bytes:
        return b"" if self._closed and self.fault is not None else data

    def _started(self, first: bytes) -> tuple[Events, Gate]:
        self._lines = self._lines and first in b"{["  # whatever is told, clients read events
        script: Script
        events: Events
        if self._frames:
            events, script = (
                FrameEvents(),
                Chunks() if self._wire.startswith(ENVELOPED) else Messages(),
            )
        elif self._lines or first not in b"{[":
            events, script = TextEvents(self._lines), Lines() if self._lines else Sse()
        else:
            events, script = JsonEvents(), Json()
        format = FORMATS[self._wire]() if self._format is None else self._format
        gate = Gate(format, script, self._judge, self._limit, strict=self._closed)
        return events, gate
