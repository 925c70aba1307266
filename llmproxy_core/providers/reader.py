"""One answer, from wire bytes to a Response: JSON, events, lines, a growing array, a sound."""

from collections.abc import Sequence

from llmproxy_core.model import ApiError, Delta, Headers, Response, header
from llmproxy_core.providers.api_error import error_of_status, read_error, text_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.bedrock_invoke import usage_in
from llmproxy_core.providers.bodies import (
    BLANK,
    Array,
    Body,
    Events,
    Lines,
    Media,
    Whole,
)
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.encoding import Decoder
from llmproxy_core.providers.eventstream import Messages, begins_eventstream
from llmproxy_core.providers.formats import FORMATS, format_of
from llmproxy_core.providers.frames import FRAMED, Frames
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.sse import BOM, Event

FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
STARTS = (b"{", b"[", b"<")
BLANKS = 64
HEAD = 16_000
GROWING = frozenset({"gemini"})
"""Formats that stream as a JSON array."""
LINED = frozenset({"ollama.chat", "ollama.generate", "cohere.chat", "anthropic.batches"})
"""Formats that stream as lines of JSON; a whole answer is one line of it, or one text of many."""
PLAIN = frozenset({"openai.audio"})
"""Formats whose answer may be plain text."""


class AnswerReader:
    """Feed it the bytes of an answer, in any cuts and still content-encoded; then `finish`.

    Never raises on foreign bytes. The Response and the joined deltas do not depend on the cuts.
    What the body is, its first bytes tell; where they do not, the content type does.
    """

    def __init__(self, wire: str, status: int, headers: Headers, path: str = "") -> None:
        self._format = format_of(wire)
        self.known = wire in FORMATS
        self._growing = wire in GROWING
        self.status = status
        self._type = content_type(header(headers, "content-type") or "")
        self.announces_stream = self._type.streams
        self._counted = usage_in(headers) if wire.startswith("bedrock.") else None
        self._framed = wire in FRAMED and status < 400
        self._lined = self._type.lines or wire in LINED
        self._plain = self._type.text and wire in PLAIN
        self._decoder = Decoder(headers)
        self._into = Assembler(live=True)
        self._body: Body | None = None
        self._head = b""

    def feed(self, chunk: bytes) -> list[Delta]:
        """The pieces of text that `chunk` completes."""
        for piece in self._decoder.feed(chunk):
            if piece:
                self._take(piece)
        return self._into.take()

    def finish(self) -> Response:
        """The whole answer. The reader is of no use afterwards."""
        if rest := self._decoder.finish():
            self._take(rest)
        if self._body is None:
            self._body = self._begin(self._head, ended=True) or Whole(self)
            self._body.feed(self._head)
        self._body.finish()
        return self._response()

    def _take(self, piece: bytes) -> None:
        if self._body is None:
            self._head = _begun(self._head, piece)
            self._body = self._begin(self._head, ended=False)
            if self._body is None:
                return
            piece, self._head = self._head, b""
        self._body.feed(piece)

    def _begin(self, head: bytes, ended: bool) -> Body | None:
        """What the body is, or None while that cannot be told."""
        if announced := self._announced():
            return announced
        text = head.lstrip(BLANK)
        if not ended and (not text or BOM.startswith(text)):
            return None
        text = text.removeprefix(BOM).lstrip(BLANK)
        binary = begins_eventstream(head)
        if binary or (self._type.eventstream and text[:1] not in STARTS):
            return Messages(self)
        return None if binary is None and not ended else self._text(text, ended)

    def _announced(self) -> Body | None:
        """What the first bytes do not tell: frames, sound, pictures, plain text."""
        if self._framed:
            return Frames(self)
        if self.status < 400 and self._type.media:
            return Media(self, self._type.name)
        return Whole(self) if self._plain else None

    def _text(self, text: bytes, ended: bool) -> Body | None:
        first = text[:1]
        if first == b"[" and self._growing:
            return Array(self)
        if first == b"{" and self._lined and self.status < 400:
            return Lines(self)
        if first in STARTS:
            return Whole(self)
        if self.announces_stream or text.startswith(FIELDS):
            return Events(self)
        if any(field.startswith(text) for field in FIELDS):
            return Events(self) if ended and text else None
        return Whole(self)

    def event(self, name: bytes, data: bytes) -> None:
        """One event of a stream. `[DONE]` is how OpenAI says that there are no more."""
        if len(data) < 32 and data.strip() == b"[DONE]":
            self._into.closed = True
            return
        value, problem = parse(data)
        if isinstance(value, dict):
            self._into.n_events += 1
            told = name.decode("utf-8", "replace") if name else ""
            self._format.event(told, value, self._into)
        elif value is None and problem and name == b"error":
            self._into.error = text_error(data.decode("utf-8", "replace"), self.status, "error")
        else:
            self._into.unknown_event("not a JSON object" if problem is None else "not JSON")

    def events(self, events: Sequence[Event]) -> None:
        for event in events:
            self.event(event.name, event.data)

    def whole(self, body: bytes, cut: bool) -> str | None:
        """A body that is one JSON text. Returns why it could not be read, if so."""
        if self._plain and self.status < 400:
            self._format.answer({"text": body.decode("utf-8", "replace")}, self._into)
            return "it ends early" if cut else None
        value, problem = parse(body)
        answer = value[0] if isinstance(value, list) and value else value
        if isinstance(answer, dict):
            if self.status < 400:
                self._format.answer(answer, self._into)
                self._into.error = self._into.error or read_error(value)
            else:
                self._into.error = error_of_status(value, self.status)
            return None
        if self.status >= 400 or (self.known and body.strip(BLANK)):
            self._into.error = self._unreadable(body, problem)
        return "it ends early" if cut else problem

    def _unreadable(self, body: bytes, problem: str | None) -> ApiError:
        text = body[:HEAD].decode("utf-8", "replace")
        if self.status >= 400:
            return text_error(_title(text), self.status)
        if problem and text.lstrip(" \t\r\n\ufeff")[:1] in ("{", "["):
            return ApiError("unreadable", problem)
        return text_error(_title(text), self.status, "unreadable")

    def dropped(self, n: int) -> None:
        if n:
            self._into.unknown_event("too large")

    @property
    def into(self) -> Assembler:
        return self._into

    def _response(self) -> Response:
        response = self._into.response()
        response.usage = response.usage or self._counted
        if self.known and self._body:
            response.incomplete = not self._body.complete(self._into)
            if (problem := self._decoder.problem) and not self._into.closed:
                response.incomplete = True
                response.error = response.error or ApiError("unreadable", problem)
        if self.status >= 400 and response.error is None:
            response.error = text_error("", self.status)
        return response


def _begun(head: bytes, piece: bytes) -> bytes:
    """The beginning of a body; of the blanks that some send to keep a line up, the last ones."""
    head += piece
    if head.lstrip(BLANK).removeprefix(BOM).lstrip(BLANK):
        return head
    before, bom, after = head.partition(BOM)
    return before[-BLANKS:] + bom + after[-BLANKS:]


def _title(text: str) -> str:
    """An HTML page's title says more than its first words."""
    lower = text.lower()
    start = lower.find("<title>")
    end = lower.find("</title>", start)
    return text[start + 7 : end] if 0 <= start < end else text
