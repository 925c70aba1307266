"""Answers without content codings, masked as they come: which way depends on what they are.

Events and lines go through `line_masking`, messages of an eventstream and frames of a WebSocket the
same way in their wrappings. One JSON document is held until it is whole: nothing of it could be
read before.
"""

from collections import deque
from typing import Protocol

from llmproxy_core.masking.body_masking import Secrets
from llmproxy_core.masking.line_masking import LineMasker
from llmproxy_core.masking.logprobs import without_logprobs
from llmproxy_core.masking.message_masking import MessageMasker
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.masking.socket_frames import content_of, is_from_client, with_content
from llmproxy_core.masking.stream_masking import StreamMasker
from llmproxy_core.model import Headers, header
from llmproxy_core.providers.content_type import ContentType, content_type
from llmproxy_core.providers.eventstream import begins_eventstream
from llmproxy_core.providers.wide import BEGINS, TELLING, wide_encoding

FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a line of SSE begins."""
BLANK = b" \t\r\n"
SEVERAL = (b"}\n{", b"}\r\n{")
"""Documents, not one."""
LOOKED = 2**16


class Masking(Protocol):
    """`masked`: marks that were put in so far. `finish`: `cut_off` if more should have come."""

    @property
    def masked(self) -> int: ...

    def feed(self, data: bytes) -> bytes: ...

    def finish(self, cut_off: bool) -> bytes: ...


class AnswerMasker:
    """Chooses by the first bytes, and by the Content-Type where they do not tell."""

    def __init__(self, tools: SecretMasking, known: Secrets, headers: Headers) -> None:
        self._tools = tools
        self._known = known
        self._told = content_type(header(headers, "content-type") or "")
        self._chosen: Masking | None = None
        self._head = b""

    @property
    def masked(self) -> int:
        return self._chosen.masked if self._chosen else 0

    def feed(self, data: bytes) -> bytes:
        if self._chosen is None:
            self._head += data
            if not self._head.strip(BLANK) or (
                len(self._head) < TELLING and self._head[:1] in BEGINS
            ):
                return b""
            self._chosen = self._choose(self._head, self._told)
            data, self._head = self._head, b""
        return self._chosen.feed(data)

    def finish(self, cut_off: bool) -> bytes:
        if self._chosen is None:
            return self._head
        return self._chosen.finish(cut_off)

    def _choose(self, head: bytes, told: ContentType) -> Masking:
        first = head.lstrip(BLANK)
        stream = self._tools.stream(self._known)
        if told.eventstream or begins_eventstream(head):
            return MessageMasker(stream, self._tools.whole)
        if wide_encoding(head):
            return DocumentMasker(self._tools, self._known)
        if told.events or first.startswith(FIELDS):
            return LineMasker(stream, events=True)
        if told.lines or first[:1] != b"{":
            if told.media and not first.isascii():
                return BlobMasker(self._tools)
            return LineMasker(stream)
        return DocumentMasker(self._tools, self._known)


class DocumentMasker:
    """JSON that is one document."""

    def __init__(self, tools: SecretMasking, known: Secrets) -> None:
        self._tools = tools
        self._known = known
        self._held: list[bytes] = []
        self.masked = 0

    def feed(self, data: bytes) -> bytes:
        self._held.append(data)
        return b""

    def finish(self, cut_off: bool) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        if any(gap in data[:LOOKED] for gap in SEVERAL):
            lines = LineMasker(self._tools.stream(self._known))
            written = lines.feed(data) + lines.finish(cut_off)
            self.masked = lines.masked
            return written
        out = self._tools.bodies.masked(data, self._known, cut=cut_off)
        self.masked = out.masked
        return without_logprobs(out.body) if out.masked else out.body


class BlobMasker:
    """Sound and pictures."""

    def __init__(self, tools: SecretMasking) -> None:
        self._tools = tools
        self.masked = 0

    def feed(self, data: bytes) -> bytes:
        data, count = self._tools.whole(data)
        self.masked += count
        return data

    def finish(self, cut_off: bool) -> bytes:
        return b""


class FrameMasker:
    """Frames of a WebSocket, as lines; see `websocket`."""

    def __init__(self, stream: StreamMasker) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._contents: deque[bytes] = deque()
        self._rest = b""

    @property
    def masked(self) -> int:
        return self._stream.masked

    def feed(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        written = list[bytes]()
        for line in lines:
            content = content_of(line)
            self._lines.append(line)
            self._contents.append(content)
            written += self._stream.feed_all([content], is_from_client(line))
        return self._wrapped(written)

    def finish(self, cut_off: bool) -> bytes:
        """Of a line that is not whole, nothing."""
        self._rest = b""
        return self._wrapped(self._stream.finish(cut_off))

    def _wrapped(self, contents: list[bytes]) -> bytes:
        lines = list[bytes]()
        for content in contents:
            line, came = self._lines.popleft(), self._contents.popleft()
            lines.append((line if content == came else with_content(line, content)) + b"\n")
        return b"".join(lines)
