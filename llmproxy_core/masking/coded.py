"""Answers in content codings, masked within them.

As long as nothing is masked, what is written is the bytes that came. With the first mark, all that
was written so far is written again, in a coding of our own.
"""

from collections import deque

from llmproxy_core.masking.answer_masking import Masking
from llmproxy_core.model import Headers
from llmproxy_core.providers.encoding import Decoder, decode_body
from llmproxy_core.providers.recoding import Encoder

LIMIT = 64 * 2**20
"""Bytes after decoding; of a larger answer no more is written."""
LATE = "zstd"
"""Gives what it has read a block at a time, so a chunk may have more in it than came out of it."""


class CodedMasker:
    """`again`: what `feed` or `finish` gave last stands for all that was given before."""

    def __init__(self, headers: Headers, plain: Masking) -> None:
        self._headers = headers
        self._decoder = Decoder(headers, LIMIT)
        self._able = self._decoder.problem is None
        self._plain = plain
        self._encoder: Encoder | None = None
        self._came: list[bytes] = []
        self._waiting: deque[tuple[bytes, int]] = deque()
        """Chunks that are not written, and how many bytes were decoded up to each."""
        self._decoded = 0
        self._settled = 0
        self._written = False
        self.again = False

    @property
    def masked(self) -> int:
        return self._plain.masked

    def feed(self, chunk: bytes) -> bytes:
        self.again = False
        if not self._able:
            return b""
        data = b"".join(self._decoder.feed(chunk))
        out = self._plain.feed(data) if data else b""
        if self._decoder.codings == []:
            return out
        return self._recoded(out) if self._encoder else self._as_it_came(chunk, data, out)

    def finish(self, *, complete: bool) -> bytes:
        self.again = False
        if not self._able:
            return b""
        data = self._decoder.finish()
        whole = self._decoder.problem is None
        out = self._plain.feed(data) if data else b""
        out += self._plain.finish(cut_off=not (complete and whole))
        if not self._decoder.codings:
            return out
        if self._encoder is None:
            self._settled += len(out)
            if not self.masked:
                return self._rest(whole)
            out = self._begin_anew(out)
        else:
            out = self._encoder.encode(out)
        return out + (self._encoder.finish() if whole and self._encoder else b"")

    def _recoded(self, out: bytes) -> bytes:
        return self._encoder.encode(out) if self._encoder else b""

    def _as_it_came(self, chunk: bytes, data: bytes, out: bytes) -> bytes:
        self._came.append(chunk)
        self._decoded += len(data)
        self._settled += len(out)
        self._waiting.append((chunk, self._decoded))
        if self.masked:
            return self._begin_anew(out)
        return self._rest(whole=False)

    def _rest(self, whole: bool) -> bytes:
        """The chunks of which all is settled."""
        out = list[bytes]()
        late = not whole and LATE in (self._decoder.codings or ())
        while self._waiting and self._waiting[0][1] <= self._settled:
            if late and self._waiting[0][1] == self._decoded:
                break
            out.append(self._waiting.popleft()[0])
        self._written = self._written or bool(out)
        return b"".join(out)

    def _begin_anew(self, out: bytes) -> bytes:
        """What was settled before has no mark in it."""
        before = self._settled - len(out)
        plain, _ = decode_body(self._headers, b"".join(self._came), LIMIT)
        self._encoder = Encoder(self._decoder.codings or [])
        self.again = self._written
        self._came.clear()
        self._waiting.clear()
        return self._encoder.encode(plain[:before] + out)
