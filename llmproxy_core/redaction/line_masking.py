"""Masks what streams as lines (SSE, NDJSON, JSON in several lines) and comes in any cuts.

A string of JSON does not reach over the end of a line, so a line is what is masked at a time; where
the stream breaks off within one, so does the string in it.
"""

from llmproxy_core.redaction.pieces import pieces
from llmproxy_core.redaction.stream_masking import StreamMasker

LONGEST = 32 * 2**20
"""Bytes of a line; of a longer one nothing is written."""


class LineMasker:
    """`dropped`: bytes of lines that were too long."""

    __slots__ = ("_held", "_parts", "_stream", "dropped")

    def __init__(self, stream: StreamMasker) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._held = 0
        self.dropped = 0

    def feed(self, chunk: bytes) -> bytes:
        """What may be written now."""
        *ends, rest = chunk.split(b"\n")
        written = []
        for end in ends:
            self._hold(end + b"\n")
            written += self._line()
        self._hold(rest)
        return b"".join(written)

    def finish(self, cut_off: bool = True) -> bytes:
        """The rest; see `StreamMasker.finish`."""
        return b"".join([*self._line(), *self._stream.finish(cut_off)])

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > LONGEST:
            self._parts.clear()
        elif part:
            self._parts.append(part)

    def _line(self) -> list[bytes]:
        line = b"".join(self._parts)
        self.dropped += self._held if self._held > LONGEST else 0
        self._parts.clear()
        self._held = 0
        return self._stream.feed(line, pieces(line)) if line else []
