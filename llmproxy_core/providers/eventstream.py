"""AWS eventstream: the binary messages in which Bedrock streams (`vnd.amazon.eventstream`).

A message: total length (4 bytes), length of the headers (4), CRC32 of these 8 bytes, headers,
payload, CRC32 of all before it. Numbers are big-endian. A header: length of the name (1), name,
type (1), value. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
and the Smithy specification of `application/vnd.amazon.eventstream`.
"""

from typing import NamedTuple
from zlib import crc32

from llmproxy_core.model import ApiError, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.bodies import Owner
from llmproxy_core.providers.parsing import parse

TYPE = "vnd.amazon.eventstream"
PRELUDE = 12
SMALLEST = 16
LIMIT = 32 * 2**20
"""Bytes of a message that are held; a larger one is skipped and counted."""
SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type; 6 and 7, bytes and text, tell their length."""
TEXT = 7
KNOWN, LONGEST = 64, 512
"""Headers that are remembered, and their length in bytes."""


class Message(NamedTuple):
    """`kind` is `event`, `exception` or `error`; `name` that of the event, exception or error."""

    kind: str
    name: str
    payload: bytes
    text: str = ""


class Frames:
    """Bytes in any cuts -> whole messages as they are on the wire, by the lengths that they tell.

    Only the checksum of a prelude is looked at. `stuck`: why what is held is no message, `damaged`
    or `large`; then nothing is read before `take`.
    """

    __slots__ = ("_held", "_need", "stuck")

    def __init__(self) -> None:
        self._held = bytearray()
        self._need = PRELUDE
        self.stuck = ""

    @property
    def held(self) -> int:
        """Bytes of a message that has begun."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The messages that `chunk` completes."""
        self._held += chunk
        found: list[bytes] = []
        start = 0
        while not self.stuck and len(self._held) - start >= self._need:
            if self._need == PRELUDE:
                self._measure(start)
            else:
                end = start + self._need
                found.append(bytes(self._held[start:end]))
                start, self._need = end, PRELUDE
        del self._held[:start]
        return found

    def take(self) -> bytes:
        """All that is held; what is fed next begins a message."""
        taken = bytes(self._held)
        self._held.clear()
        self._need, self.stuck = PRELUDE, ""
        return taken

    def _measure(self, start: int) -> None:
        prelude = self._held[start : start + PRELUDE]
        size = int.from_bytes(prelude[:4])
        headers = int.from_bytes(prelude[4:8])
        if crc32(prelude[:8]) != int.from_bytes(prelude[8:]) or size < SMALLEST + headers:
            self.stuck = "damaged"
        elif size > LIMIT:
            self.stuck = "large"
        else:
            self._need = size


class Envelopes:
    """Messages as they are on the wire -> what they say."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Message] = {}

    def opened(self, frame: bytes) -> Message | None:
        """None: the checksum is wrong. Streams have few different headers, but many messages."""
        if crc32(memoryview(frame)[:-4]) != int.from_bytes(frame[-4:]):
            return None
        end = PRELUDE + int.from_bytes(frame[4:8])
        headers = frame[PRELUDE:end]
        bare = self._known.get(headers)
        if bare is None:
            bare = _bare(_headers(headers))
            if len(self._known) < KNOWN and len(headers) <= LONGEST:
                self._known[headers] = bare
        return Message(bare.kind, bare.name, frame[end:-4], bare.text)


class MessageReader:
    """Bytes in any cuts -> messages, as soon as they are whole. Raises on nothing.

    `problem` says where the stream is damaged. A damaged message is left out; after a damaged
    prelude nothing is read any more, as nobody can say where the next message begins.
    """

    __slots__ = ("_at", "_envelopes", "_frames", "_lost", "_skip", "dropped", "problem")

    def __init__(self) -> None:
        self._frames = Frames()
        self._envelopes = Envelopes()
        self._skip = 0
        self._at = 0
        self._lost = False
        self.dropped = 0
        self.problem: str | None = None

    @property
    def open(self) -> bool:
        """Is a message begun and not whole?"""
        return self._frames.held > 0 or self._skip > 0

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that `chunk` completes."""
        found: list[Message] = []
        while chunk and not self._lost:
            if self._skip:
                chunk = self._skipped(chunk)
            for frame in self._frames.feed(chunk):
                if message := self._envelopes.opened(frame):
                    found.append(message)
                else:
                    self._damaged("the checksum of a message is wrong")
                self._at += len(frame)
            chunk = self._freed() if self._frames.stuck else b""
        return found

    def _skipped(self, chunk: bytes) -> bytes:
        """What comes after a message that is skipped."""
        cut = min(self._skip, len(chunk))
        self._skip -= cut
        self._at += cut
        return chunk[cut:]

    def _freed(self) -> bytes:
        """What was held when reading got stuck."""
        if self._frames.stuck == "large":
            self.dropped += 1
            held = self._frames.take()
            self._skip = int.from_bytes(held[:4])
            return held
        self._damaged("the beginning of a message is damaged")
        self._lost = True
        self._frames.take()
        return b""

    def _damaged(self, what: str) -> None:
        self.problem = self.problem or f"{what} (at byte {self._at} of the eventstream)"


def begins_eventstream(head: bytes) -> bool | None:
    """Do these bytes begin an eventstream? None: too few to tell."""
    if head[:1] != b"\x00":
        return False
    if len(head) < PRELUDE:
        return None
    return crc32(head[:8]) == int.from_bytes(head[8:12])


def encode_message(headers: dict[str, str], payload: bytes) -> bytes:
    """A message with text headers, as AWS sends it."""
    told = b"".join(
        len(name).to_bytes(1) + name.encode() + b"\x07" + len(value).to_bytes(2) + value.encode()
        for name, value in headers.items()
    )
    return _framed(told, payload)


def with_payload(frame: bytes, payload: bytes) -> bytes:
    """A message as it is on the wire, with another payload: the headers are the same bytes."""
    return _framed(frame[PRELUDE : PRELUDE + int.from_bytes(frame[4:8])], payload)


def _framed(headers: bytes, payload: bytes) -> bytes:
    prelude = (SMALLEST + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + headers + payload
    return message + crc32(message).to_bytes(4)


class Messages:
    """The body of an answer in an eventstream."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = MessageReader()

    def feed(self, piece: bytes) -> None:
        for message in self._reader.feed(piece):
            if message.kind == "event":
                self._owner.event(message.name.encode(), message.payload)
            else:
                self._refused(message)

    def _refused(self, message: Message) -> None:
        value, _ = parse(message.payload)
        fields = mapping(value)
        told = text_of(fields.get("message")) or text_of(fields.get("Message")) or message.text
        told = told or message.payload[:4000].decode("utf-8", "replace")
        self._owner.into.error = ApiError(message.name or None, told or message.kind)
        self._owner.into.closed = True

    def finish(self) -> None:
        self._owner.dropped(self._reader.dropped)
        if (problem := self._reader.problem) and self._owner.into.error is None:
            self._owner.into.error = ApiError("unreadable", problem)

    def complete(self, into: Assembler) -> bool:
        if self._reader.open or self._reader.problem:
            return False
        return into.closed or into.error is not None


def _bare(told: dict[str, str]) -> Message:
    """A message of which only the headers are known."""
    kind = told.get(":message-type", "event")
    name = told.get(f":{kind}-type") or told.get(":error-code") or told.get(":event-type", "")
    return Message(kind, name, b"", told.get(":error-message", ""))


def _headers(data: bytes) -> dict[str, str]:
    """The text headers; what comes after a header of no known type is left out."""
    told: dict[str, str] = {}
    at = 0
    while at < len(data):
        name = data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace")
        at += 1 + data[at]
        kind = data[at] if at < len(data) else -1
        at += 1
        if kind in (6, TEXT):
            size = int.from_bytes(data[at : at + 2])
            at += 2
            if kind == TEXT:
                told[name] = data[at : at + size].decode("utf-8", "replace")
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            break
        at += size
    return told
