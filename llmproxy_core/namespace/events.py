"""An answer without content codings, cut into its events: each whole, with where its JSON stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from llmproxy_core.namespace.eventlines import Blanker
from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.walk import BACKSLASH, CLOSE, INSIDE, OPEN, QUOTE
from llmproxy_core.providers.eventstream import LIMIT, Envelopes, Frames, with_payload

DATA = b"data"
OUTSIDE = re.compile(rb'(?:[^"{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)


@dataclass(slots=True)
class Event:
    """`raw`: as it came. `payload`: what is changed of it; `text`: its JSON at the same offsets,
    blank if it has none. `wrap`: the raw event with another payload. `passes`: nothing waits for
    it, and it waits for nothing."""

    raw: bytes
    payload: bytes
    text: bytes
    wrap: Callable[[bytes], bytes] | None = None
    passes: bool = False
    edits: list[Edit] = field(default_factory=list)
    open_words: int = 0

    @property
    def sent(self) -> bytes:
        if not self.edits:
            return self.raw
        payload = edited(self.payload, sorted(self.edits))
        return self.wrap(payload) if self.wrap else payload


class Events(Protocol):
    """Bytes in any cuts -> events, whose raw bytes are all that was fed, in order.

    `full`: what is held is too large to be an event; or it cannot be told where one ends.
    """

    @property
    def full(self) -> bool: ...

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        ...

    def last(self) -> Event:
        """What is held of one that is not complete."""
        ...


class TextEvents:
    """Server-sent events, or lines of JSON (`lines`)."""

    __slots__ = ("_blanker", "_raw", "_text")

    def __init__(self, lines: bool) -> None:
        self._blanker = Blanker(lines)
        self._raw = bytearray()
        self._text: list[bytes] = []

    @property
    def full(self) -> bool:
        return len(self._raw) > LIMIT

    @property
    def between(self) -> bool:
        """Is no event begun and unfinished?"""
        return not self._raw

    def feed(self, data: bytes) -> list[Event]:
        self._raw += data
        found = []
        for text, ends in self._blanker.feed(data):
            self._text.append(text)
            if ends:
                found.append(self._event(b"".join(self._text)))
        return found

    def last(self) -> Event:
        event = self._event(b"".join(self._text).ljust(len(self._raw)))
        event.passes = False
        return event

    def _event(self, text: bytes) -> Event:
        raw = bytes(self._raw[: len(text)])
        del self._raw[: len(text)]
        self._text = []
        alone = raw[:1] != b"\n"  # else it begins with the end of the event before
        return Event(raw, raw, text, passes=alone and text.isspace() and DATA not in raw)


class JsonEvents:
    """JSON objects one after the other, mostly one, or the elements of an array that grows: each is
    an event, with what stands before it."""

    __slots__ = ("_at", "_depth", "_in_string", "_raw")

    def __init__(self) -> None:
        self._raw = bytearray()
        self._at = 0
        self._depth = 0
        self._in_string = False

    @property
    def full(self) -> bool:
        return len(self._raw) > LIMIT

    def feed(self, data: bytes) -> list[Event]:
        self._raw += data
        found = []
        while self._step():
            if self._at and not self._depth and self._raw[self._at - 1] == CLOSE:
                found.append(self._event(self._at))
        return found

    def last(self) -> Event:
        return self._event(len(self._raw))

    def _step(self) -> bool:
        """On behind the next quote or brace; False: there is none yet."""
        found = (INSIDE if self._in_string else OUTSIDE).match(self._raw, self._at)
        self._at = found.end() if found else self._at
        if self._at == len(self._raw) or self._raw[self._at] == BACKSLASH:
            return False
        mark = self._raw[self._at]
        if mark == QUOTE:
            self._in_string = not self._in_string
        else:
            self._depth += 1 if mark == OPEN else -1
        self._at += 1
        return True

    def _event(self, end: int) -> Event:
        raw = bytes(self._raw[:end])
        del self._raw[:end]
        self._at = 0
        start = max(raw.find(b"{"), 0)
        return Event(raw, raw, b" " * start + raw[start:])


class FrameEvents:
    """Messages of an AWS eventstream."""

    __slots__ = ("_envelopes", "_frames")

    def __init__(self) -> None:
        self._frames = Frames()
        self._envelopes = Envelopes()

    @property
    def full(self) -> bool:
        return bool(self._frames.stuck)

    def feed(self, data: bytes) -> list[Event]:
        return [self._event(frame) for frame in self._frames.feed(data)]

    def last(self) -> Event:
        rest = self._frames.take()
        return Event(rest, rest, b"")

    def _event(self, frame: bytes) -> Event:
        message = self._envelopes.opened(frame)
        if message is None:
            return Event(frame, frame, b"")
        payload = message.payload
        return Event(frame, payload, payload, wrap=partial(with_payload, frame))
