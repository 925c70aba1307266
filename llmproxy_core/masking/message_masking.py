"""Masks an AWS eventstream: payloads are changed, lengths and checksums made to fit.

Of `bedrock.invoke-with-response-stream` it is what the payloads have in base64.
"""

import re
from base64 import b64decode, b64encode
from collections import deque
from typing import NamedTuple, Protocol

from llmproxy_core.masking.stream_masking import StreamMasker
from llmproxy_core.namespace.eventstream import BYTES
from llmproxy_core.providers.eventstream import PRELUDE, Frames, with_payload

KNOWN = 64
"""Heads of messages that are known to have no secret."""
BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


class Whole(Protocol):
    """Masks bytes that are all there."""

    def __call__(self, data: bytes, *, cut: bool = False) -> tuple[bytes, int]: ...


class _Message(NamedTuple):
    frame: bytes
    payload: bytes
    start: int
    end: int
    """Where in the payload the base64 is of what is looked at; 0: it is the payload itself."""

    @property
    def event(self) -> bytes:
        return b64decode(self.payload[self.start : self.end]) if self.end else self.payload

    def changed(self, event: bytes) -> bytes:
        if self.end:
            event = self.payload[: self.start] + b64encode(event) + self.payload[self.end :]
        return with_payload(self.frame, event)


class MessageMasker:
    """`whole`: for what is around the payloads, and for what is no message."""

    def __init__(self, stream: StreamMasker, whole: Whole) -> None:
        self._stream = stream
        self._whole = whole
        self._frames = Frames()
        self._waiting: deque[_Message] = deque()
        self._heads: set[bytes] = set()
        self._damaged = False
        self._around = 0

    @property
    def masked(self) -> int:
        return self._stream.masked + self._around

    def feed(self, data: bytes) -> bytes:
        """After damage nobody can say where a message begins, so nothing more is written."""
        if self._damaged:
            return b""
        messages = [_opened(frame) for frame in self._frames.feed(data)]
        self._damaged = bool(self._frames.stuck)
        messages = [one for one in messages if self._is_plain(one)]
        self._waiting += messages
        return self._wrapped(self._stream.feed_all([one.event for one in messages]))

    def finish(self, cut_off: bool) -> bytes:
        """With the beginning of a message that never ended."""
        written = self._wrapped(self._stream.finish(cut_off))
        rest = self._frames.take()
        if rest and not self._damaged:
            rest, masked = self._whole(rest, cut=True)
            self._around += masked
            written += rest
        return written

    def _is_plain(self, message: _Message) -> bool:
        """Is there no secret around what is looked at? If there is, the message is not written."""
        head = message.frame[PRELUDE : PRELUDE + int.from_bytes(message.frame[4:8])]
        around = message.payload[: message.start] + message.payload[message.end :]
        said = head + around if message.end else head
        if said not in self._heads:
            if self._whole(said)[1]:
                self._around += 1
                return False
            if len(self._heads) < KNOWN:
                self._heads.add(said)
        return True

    def _wrapped(self, events: list[bytes]) -> bytes:
        written = list[bytes]()
        for event in events:
            message = self._waiting.popleft()
            written.append(message.frame if event == message.event else message.changed(event))
        return b"".join(written)


def _opened(frame: bytes) -> _Message:
    payload = frame[PRELUDE + int.from_bytes(frame[4:8]) : -4]
    found = BYTES.search(payload)
    if found and BASE64.fullmatch(found[1]) and len(found[1]) % 4 == 0:
        return _Message(frame, payload, *found.span(1))
    return _Message(frame, payload, 0, 0)
