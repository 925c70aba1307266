"""An answer on its way to the disk as a skeleton: event by event, in the shape in which it comes.

Streams of events, lines, growing arrays, eventstreams, frames and whole JSON come out as such, each
event as soon as it is whole, without the content coding that they came in. Sound, pictures, and
what is no JSON are not written.
"""

from collections.abc import Sequence
from typing import ClassVar

from llmproxy_core.model import Headers
from llmproxy_core.providers import frames
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.bodies import Array, Body, Events, Lines
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.eventstream import Message, MessageReader, Messages, encode_message
from llmproxy_core.providers.json_array import ArrayReader
from llmproxy_core.providers.lines import LineReader
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.providers.sse import Event
from llmproxy_core.withholding.remains import dumps
from llmproxy_core.withholding.skeleton import NOT_KEPT, Skeleton
from llmproxy_core.withholding.vocabulary import KEY

DONE = b"[DONE]"


class Outline(AnswerReader):
    """Fed as an AnswerReader, which knows what the body is; it gives bytes instead of texts."""

    def __init__(self, skeleton: Skeleton, wire: str, status: int, headers: Headers) -> None:
        super().__init__(wire, status, headers)
        self.skeleton = skeleton
        self.written: list[bytes] = []
        self._form = "json"

    def write(self, chunk: bytes) -> bytes:
        """What may be written now that this has come."""
        self.feed(chunk)
        return self._taken()

    def end(self) -> bytes:
        """The rest; the outline is of no use afterwards."""
        self.finish()
        return self._taken()

    def _taken(self) -> bytes:
        written, self.written = self.written, []
        return b"".join(written)

    def _begin(self, head: bytes, ended: bool) -> Body | None:
        body = super()._begin(head, ended)
        if isinstance(body, Events):
            self._form = "events"
        elif isinstance(body, Lines):
            self._form = "lines"
        elif isinstance(body, Array):
            return _Array(self)
        elif isinstance(body, Messages):
            return _Messages(self)
        elif isinstance(body, frames.Frames):
            return _Frames(self)
        return body

    def events(self, events: Sequence[Event]) -> None:
        for event in events:
            self.event(event.name, event.data)

    def event(self, name: bytes, data: bytes) -> None:
        told = self._told(name, data)
        if self._form == "lines":
            self.written += told, b"\n"
        elif KEY.fullmatch(name.decode("latin-1")):
            self.written += b"event: ", name, b"\ndata: ", told, b"\n\n"
        else:
            self.written += b"data: ", told, b"\n\n"

    def _told(self, name: bytes, data: bytes) -> bytes:
        if len(data) < 32 and data.strip() == DONE:
            return DONE
        value, _ = parse(data)
        if isinstance(value, dict):
            return dumps(self.skeleton.of(value))
        return NOT_KEPT.encode() if name == b"error" else b"null"

    def whole(self, body: bytes, cut: bool) -> str | None:
        value, problem = parse(body)
        if not cut and isinstance(value, dict | list):
            told = dumps(self.skeleton.of(value, failed=self.status >= 400))
        elif self._plain and self.status < 400:
            told = self.skeleton.blank(body.decode("utf-8", "replace")).encode()
        else:
            told = NOT_KEPT.encode() if body.strip() else b""
        self.written.append(told)
        return problem


class _Piecewise:
    """A body that is cut in a way of its own."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    def complete(self, into: Assembler) -> bool:
        return True

    def _skeleton(self, data: bytes) -> bytes:
        value, _ = parse(data)
        return dumps(self._outline.skeleton.of(value)) if isinstance(value, dict) else b"{}"


class _Array(_Piecewise):
    """A growing array; it is closed where the one that came was not torn."""

    def __init__(self, outline: Outline) -> None:
        super().__init__(outline)
        self._reader = ArrayReader()
        self._before = b"["

    def feed(self, piece: bytes) -> None:
        for data in self._reader.feed(piece):
            self._outline.written += self._before, self._skeleton(data)
            self._before = b",\n"

    def finish(self) -> None:
        if self._reader.open:
            self._outline.written.append(self._before + b"{")
        else:
            self._outline.written.append(b"]" if self._before != b"[" else b"[]")


class _Messages(_Piecewise):
    """An eventstream. Of what is damaged nothing is written; of one that is torn, a torn one."""

    NAMED: ClassVar = {"event": ":event-type", "exception": ":exception-type"}

    def __init__(self, outline: Outline) -> None:
        super().__init__(outline)
        self._reader = MessageReader()

    def feed(self, piece: bytes) -> None:
        for message in self._reader.feed(piece):
            self._outline.written.append(self._message(message))

    def finish(self) -> None:
        if self._reader.open or self._reader.problem:
            self._outline.written.append(encode_message({}, b"")[:-1])

    def _message(self, message: Message) -> bytes:
        kind = message.kind if message.kind in self.NAMED else "error"
        name = message.name if KEY.fullmatch(message.name) else ""
        headers = {":message-type": kind, self.NAMED.get(kind, ":error-code"): name}
        if kind == "event":
            headers[":content-type"] = "application/json"
            return encode_message(headers, self._skeleton(message.payload))
        return encode_message(headers, dumps({"message": NOT_KEPT}))


class _Frames(_Piecewise):
    """Frames of a WebSocket, one a line."""

    def __init__(self, outline: Outline) -> None:
        super().__init__(outline)
        self._reader = LineReader()

    def feed(self, piece: bytes) -> None:
        for line in self._reader.feed(piece):
            self._outline.written.append(frame(self._outline.skeleton, line))

    def finish(self) -> None:
        """A line that is torn is not written."""


def frame(skeleton: Skeleton, line: bytes) -> bytes:
    """The line of a frame, see `providers.frames`; nothing if it cannot be read."""
    told, _ = parse(line)
    if not isinstance(told, dict):
        return b""
    value, _ = parse(frames.payload(told))
    data = dumps(skeleton.of(value)).decode() if isinstance(value, dict) else ""
    kept = {key: told.get(key) for key in ("from", "type", "at")}
    kept |= {"type": "text", "data": data} | ({"carried": True} if told.get("carried") else {})
    return dumps(kept) + b"\n"


def is_media(headers: Headers) -> bool:
    value = next((value for name, value in headers if name.lower() == "content-type"), "")
    return content_type(value).media
