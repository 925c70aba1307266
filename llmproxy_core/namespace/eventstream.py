"""Names in AWS eventstreams: payloads are changed, lengths and checksums made to fit.

`bedrock.converse-stream` has JSON events for payloads; `bedrock.invoke-with-response-stream` wraps
each in `{"bytes": "<base64>", "p": "<padding>"}`.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable

from llmproxy_core.model import mapping
from llmproxy_core.providers.eventstream import Envelopes, Frames, with_payload
from llmproxy_core.providers.parsing import parse

BYTES = re.compile(rb'"bytes"\s*+:\s*+"([^"\\]*+(?:\\.[^"\\]*+)*+)"')
"""A key: within a text, its quotes would come after backslashes."""

type Change = Callable[[bytes], bytes]


class EventStreamNames:
    """An eventstream in any cuts, its events changed. Raises on nothing.

    A message leaves when it is whole; one whose payload stays the same, byte for byte. After
    damage, or a message over the reader's limit, all that comes passes; `problem` says why.
    `fault`: what `change` raised; that message passed as it came.
    """

    __slots__ = ("_change", "_envelopes", "_frames", "fault", "problem")

    def __init__(self, change: Change) -> None:
        """`change`: the payload of an event -> what the client shall get."""
        self._change = change
        self._frames = Frames()
        self._envelopes = Envelopes()
        self.problem: str | None = None
        self.fault: Exception | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What to send instead of `chunk`; nothing while a message is unfinished."""
        if self.problem:
            return chunk
        sent = [self._changed(frame) for frame in self._frames.feed(chunk)]
        if self._frames.stuck:
            self.problem = self.problem or f"the beginning of a message is {self._frames.stuck}"
        if self.problem:
            sent.append(self._frames.take())
        return b"".join(sent)

    def finish(self) -> bytes:
        """The message that never ended."""
        return self._frames.take()

    def _changed(self, frame: bytes) -> bytes:
        if self.problem:
            return frame
        message = self._envelopes.opened(frame)
        if message is None:
            self.problem = "the checksum of a message is wrong"
            return frame
        if message.kind != "event":
            return frame
        try:
            payload = self._change(message.payload)
        except Exception as exc:  # noqa: BLE001  fails open: the message is the client's
            self.fault = exc
            return frame
        return frame if payload == message.payload else with_payload(frame, payload)


def in_base64(change: Change) -> Change:
    """`change` for the event within the payload of a chunk; other payloads stay as they are."""

    def change_chunk(payload: bytes) -> bytes:
        found = BYTES.search(payload)
        if found is None:
            return payload
        told = mapping(parse(payload)[0]).get("bytes")
        if not isinstance(told, str) or parse(b'"%b"' % found[1])[0] != told:
            return payload
        try:
            event = b64decode(told, validate=True)
        except (binascii.Error, ValueError):
            return payload
        changed = change(event)
        if changed == event:
            return payload
        return payload[: found.start(1)] + b64encode(changed) + payload[found.end(1) :]

    return change_chunk
