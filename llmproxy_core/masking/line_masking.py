"""Masks what streams as lines (SSE, NDJSON, JSON in several lines) and comes in any cuts.

A string of JSON does not reach over the end of a line, so a line is what is masked at a time, or,
of SSE, an event; where the stream breaks off within one, so does the string in it.
"""

from llmproxy_core.masking.stream_masking import StreamMasker

LONGEST = 32 * 2**20
"""Bytes of a line or event; of a longer one nothing is written."""
LINE, EVENT, EVENT_IN_CRLF = b"\n", b"\n\n", b"\r\n\r\n"


class LineMasker:
    """`events`: of SSE. `dropped`: bytes of what was too long."""

    __slots__ = ("_end", "_events", "_held", "_size", "_stream", "dropped")

    def __init__(self, stream: StreamMasker, *, events: bool = False) -> None:
        self._stream = stream
        self._events = events
        self._end = b"" if events else LINE
        self._held: list[bytes] = []
        self._size = 0
        self.dropped = 0

    @property
    def masked(self) -> int:
        return self._stream.masked

    def feed(self, chunk: bytes) -> bytes:
        """What may be written now."""
        if not self._end and LINE in chunk:
            self._end = EVENT_IN_CRLF if b"\r\n" in chunk else EVENT
        tail = b"".join(self._held[-len(EVENT_IN_CRLF) :])[-len(EVENT_IN_CRLF) :]
        if not self._end or self._end not in tail + chunk:
            self._hold(chunk)
            return b""
        over = self._size if self._size > LONGEST else 0
        *events, rest = b"".join([*self._held, chunk]).split(self._end)
        self._clear()
        self._hold(rest)
        whole = list[bytes]()
        for event in events:
            event += self._end
            if len(event) + over > LONGEST:
                self.dropped += len(event) + over
            else:
                whole.append(event)
            over = 0
        return b"".join(self._stream.feed_all(whole))

    def finish(self, cut_off: bool = True) -> bytes:
        """The rest; see `StreamMasker.finish`."""
        rest = b"".join(self._held)
        self.dropped += self._size - len(rest)
        self._clear()
        written = self._stream.feed_all([rest]) if rest else []
        return b"".join([*written, *self._stream.finish(cut_off)])

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LONGEST:
            self._held.clear()
        elif part:
            self._held.append(part)

    def _clear(self) -> None:
        self._held.clear()
        self._size = 0
