"""Placeholders in an answer become the values that they stand for, wherever the model has put them.

In all strings of all events, as models repeat a value in texts, thoughts and arguments of tools;
only thoughts that are signed stay as they are. A placeholder may come in pieces: events wait while
a text ends with what may be the beginning of one.
"""

from collections.abc import Mapping

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.events import Event, Events, FrameEvents
from llmproxy_core.namespace.eventtexts import BOM_OR_BLANK, EventTexts
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.redaction.enveloped import EnvelopedEvents
from llmproxy_core.redaction.returning import Returning
from llmproxy_core.redaction.sent_values import SentValues

JSON_OR_EVENTS = (b"{", b"[{", b"data:", b"event:", b":")
"""How what calls itself plain text may begin nevertheless."""
ENVELOPED = "bedrock.invoke-with-response-stream"


class RestoredValues:
    """A stage of an answer, see `rewriting`. Raises on nothing."""

    __slots__ = ("_body", "_may_be_plain", "_values")

    def __init__(self, wire: str, back: Mapping[str, str], headers: Headers) -> None:
        """`back`: see `wire.Redacted`; not empty. Pictures and sound are no answers for it."""
        told = content_type(header(headers, "content-type") or "")
        self._values = SentValues(back)
        events: Events | None = None
        if told.eventstream:
            events = EnvelopedEvents() if wire == ENVELOPED else FrameEvents()
        queue, sign = Returning(wire, self._values), self._values.sign
        self._body: EventTexts | PlainText
        self._body = EventTexts(queue, sign, events=events, lines=told.lines)
        self._may_be_plain = told.text

    def feed(self, data: bytes) -> bytes:
        if self._may_be_plain and (begins := data.lstrip(BOM_OR_BLANK)):
            self._may_be_plain = False
            if not begins.startswith(JSON_OR_EVENTS):
                self._body = PlainText(self._values)
        return self._body.feed(data)

    def finish(self) -> bytes:
        return self._body.finish()

    @property
    def fault(self) -> Exception | None:
        return self._body.fault

    def idle(self, body: bytes) -> bool:
        return self._values.sign.search(body) is None


class PlainText:
    """An answer that is nothing but text."""

    __slots__ = ("_held", "_values")

    fault: Exception | None = None

    def __init__(self, values: SentValues) -> None:
        self._values = values
        self._held = ""

    def feed(self, data: bytes) -> bytes:
        text = self._held + data.decode("latin-1")
        done = max((found.end() for found in self._values.found(text)), default=0)
        begin = self._values.begins(text, done)
        self._held = text[begin:]
        return self._sent(text[:begin])

    def finish(self) -> bytes:
        held, self._held = self._held, ""
        return held.encode("latin-1")

    def _sent(self, text: str) -> bytes:
        parts, done = list[bytes](), 0
        for found in self._values.found(text):
            value = self._values.back[found[0]].encode("utf-8", "surrogatepass")
            parts += text[done : found.start()].encode("latin-1"), value
            done = found.end()
        return b"".join([*parts, text[done:].encode("latin-1")])


class RestoredFrames:
    """The frames of a WebSocket's provider. `back` may grow while the session goes on."""

    __slots__ = ("_back", "_queue", "_size", "_wire")

    def __init__(self, wire: str, back: Mapping[str, str]) -> None:
        self._wire = wire
        self._back = back
        self._size = 0
        self._queue: Returning | None = None

    def feed(self, frame: bytes) -> list[bytes]:
        """The frames that the client gets now, in order: none if this one has to wait for the
        next, several if some have waited for it."""
        queue = self._current()
        if queue is None or (queue.idle and not queue.values.sign.search(frame)):
            return [frame]
        return queue.put(Event(frame, frame, frame))

    def finish(self) -> list[bytes]:
        """Those that still wait."""
        return self._queue.rest() if self._queue else []

    def _current(self) -> Returning | None:
        if self._size != len(self._back):
            self._size = len(self._back)
            values = SentValues(self._back)
            if self._queue is None:
                self._queue = Returning(self._wire, values)
            self._queue.values = values
        return self._queue
