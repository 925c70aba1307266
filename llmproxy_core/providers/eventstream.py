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


class MessageReader:
    """Bytes in any cuts -> messages, as soon as they are whole. Raises on nothing.

    `problem` says where the stream is damaged. A damaged message is left out; after a damaged
    prelude nothing is read any more, as nobody can say where the next message begins.
    """

    __slots__ = ("_at", "_buffer", "_known", "_lost", "_need", "_skip", "dropped", "problem")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = PRELUDE
        self._skip = 0
        self._at = 0
        self._lost = False
        self._known: dict[bytes, Message] = {}
        self.dropped = 0
        self.problem: str | None = None

    @property
    def open(self) -> bool:
        """Is a message begun and not whole?"""
        return bool(self._buffer) or self._skip > 0

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that `chunk` completes."""
        if self._skip:
            cut = min(self._skip, len(chunk))
            self._skip -= cut
            self._at += cut
            chunk = chunk[cut:]
        self._buffer += chunk
        found: list[Message] = []
        start = 0
        while not self._lost and len(self._buffer) - start >= self._need:
            start = self._next(start, found)
        if self._lost:
            self._buffer.clear()
        elif start:
            del self._buffer[:start]
        return found

    def _next(self, start: int, found: list[Message]) -> int:
        """One step, a prelude or a message: where to go on."""
        if self._need == PRELUDE:
            return self._prelude(start)
        end = start + self._need
        view = bytes(self._buffer[start:end])
        if crc32(view[:-4]) == int.from_bytes(view[-4:]):
            found.append(self._message(view))
        else:
            self._damaged("the checksum of a message is wrong")
        self._at += self._need
        self._need = PRELUDE
        return end

    def _message(self, message: bytes) -> Message:
        """Streams have few different headers, but many messages."""
        end = PRELUDE + int.from_bytes(message[4:8])
        headers = message[PRELUDE:end]
        bare = self._known.get(headers)
        if bare is None:
            bare = _bare(_headers(headers))
            if len(self._known) < KNOWN and len(headers) <= LONGEST:
                self._known[headers] = bare
        return Message(bare.kind, bare.name, message[end:-4], bare.text)

    def _prelude(self, start: int) -> int:
        size = int.from_bytes(self._buffer[start : start + 4])
        headers = int.from_bytes(self._buffer[start + 4 : start + 8])
        told = int.from_bytes(self._buffer[start + 8 : start + 12])
        if crc32(self._buffer[start : start + 8]) != told or size < SMALLEST + headers:
            self._damaged("the beginning of a message is damaged")
            self._lost = True
        elif size > LIMIT:
            self.dropped += 1
            there = min(size, len(self._buffer) - start)
            self._skip = size - there
            self._at += there
            return start + there
        else:
            self._need = size
        return start

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
    prelude = (SMALLEST + len(told) + len(payload)).to_bytes(4) + len(told).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + told + payload
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
