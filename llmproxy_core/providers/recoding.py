"""Content codings both ways: what is changed on its way is sent on in the coding it came in.

Cheap levels, and a flush whenever something is sent: what the receiver has got it can read. The
coding that counts is the one that was found, not the one that was announced (see `encoding.py`).
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Protocol

import brotli
import zstandard

from llmproxy_core.model import Headers
from llmproxy_core.providers.encoding import LIMIT, RAW, Decoder, decode_body

BEGINNING = 4096
"""Bytes of a body by which its codings are known."""
LEVELS = {"zlib": 1, "br": 2, "zstd": -1}
BR_WINDOW, ZSTD_WINDOW = 18, 17
"""As powers of two: an open stream takes 0.2 MB (0.4 MB for br) of memory."""
SPOILT = {"br": b"\x0e", "zstd": b"\x07\0\0"}
"""What no decoder takes after a flush: reserved kinds of blocks (RFC 7932, 9.2; 8878, 3.1.1.2)."""
NO_BLOCK = b"\x07"
"""The same in deflate (RFC 1951, 3.2.3)."""

type Change = Callable[[bytes], bytes]


class _Coder(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes:
        """What is needed to read all that was given so far."""
        ...

    def finish(self) -> bytes: ...


class Encoder:
    """Bytes -> coded bytes. `codings` in the order of a Content-Encoding header, or as `Decoder`
    found them: gzip, deflate, raw, br, zstd; none: the bytes pass."""

    __slots__ = ("_coders", "_outer")

    def __init__(self, codings: Sequence[str]) -> None:
        self._coders = [CODERS[name]() for name in codings]
        self._outer = codings[-1] if codings else ""

    def write(self, data: bytes) -> bytes:
        """May keep all of it until the next `flush`."""
        for coder in self._coders:
            data = coder.compress(data)
        return data

    def flush(self) -> bytes:
        data = b""
        for coder in self._coders:
            data = coder.compress(data) + coder.flush()
        return data

    def encode(self, data: bytes) -> bytes:
        """From what has been given back so far, all that was put in can be read."""
        return self.write(data) + self.flush() if data else b""

    def finish(self) -> bytes:
        """The end of the body; the encoder is of no use any more."""
        data = b""
        for coder in self._coders:
            data = coder.compress(data) + coder.finish()
        return data

    def spoil(self) -> bytes:
        """An end at which every decoder fails, once it has read what was put in."""
        return self.flush() + SPOILT.get(self._outer, NO_BLOCK) if self._coders else b""


class Recoder:
    """A stream that is changed within its content codings. Raises on nothing.

    `fault`: what a change raised; from there on the text passes as it came. What a chunk completes leaves with it. `able`: False for a coding that nobody here knows; the
    stream is then to be left alone. Data that are damaged, or have more than `limit` bytes, end
    where they cannot be read any more, in such a way that the receiver fails there, too, as it
    would have without us; data that end early end early. `problem` tells.
    """

    __slots__ = ("_decoder", "_encoder", "_over", "_plain", "able", "fault")

    def __init__(self, headers: Headers, limit: int = LIMIT) -> None:
        self._decoder = Decoder(headers, limit)
        self._encoder: Encoder | None = None
        self._plain = False
        self._over = False
        self.fault: Exception | None = None
        self.able = self._decoder.problem is None

    @property
    def problem(self) -> str | None:
        return self._decoder.problem

    def feed(self, chunk: bytes, change: Change) -> bytes:
        """What to send instead of `chunk`; nothing if `change` holds it back."""
        if self._plain:
            return self._changed(chunk, change)
        if self._over or not self.able:
            return b"" if self.able else chunk
        pieces = self._decoder.feed(chunk)
        sent = [self._coded(data) for piece in pieces if (data := self._changed(piece, change))]
        if self._encoder:
            if sent:
                sent.append(self._encoder.flush())
        elif self._decoder.codings == []:
            self._plain = True
        return b"".join(sent) + self._failed()

    def finish(self, change: Change, end: Callable[[], bytes]) -> bytes:
        """The last of it; `end` tells what `change` has held back."""
        if self._over or not self.able:
            return b""
        rest = self._decoder.finish()
        rest = self._changed(rest, change) if rest else b""
        rest += self._changed(b"", lambda _: end())
        if not self._decoder.codings:
            return rest
        sent = self._coded(rest) if rest else b""
        if self._decoder.problem is None:
            return sent + self._encoding().finish()
        return sent + self._encoding().flush() + self._failed()

    def _changed(self, data: bytes, change: Change) -> bytes:
        if self.fault is not None:
            return data
        try:
            return change(data)
        except Exception as exc:  # noqa: BLE001  fails open: the text is the receiver's
            self.fault = exc
            return data

    def _coded(self, data: bytes) -> bytes:
        return self._encoding().write(data) if self._decoder.codings else data

    def _encoding(self) -> Encoder:
        if self._encoder is None:
            self._encoder = Encoder(self._decoder.codings or [])
        return self._encoder

    def _failed(self) -> bytes:
        """After damage: nothing can be said any more, but that."""
        self._over = self._decoder.damaged
        return self._encoding().spoil() if self._over else b""


def decode_whole(headers: Headers, body: bytes, limit: int = LIMIT) -> bytes | None:
    """A body without its codings; None if it cannot be read to its end, or is over `limit`."""
    data, problem = decode_body(headers, body, limit)
    return data if problem is None else None


def encode_whole(headers: Headers, data: bytes, came: bytes) -> bytes:
    """`data` in the codings of `came`, the body that came with `headers`."""
    decoder = Decoder(headers)
    next(iter(decoder.feed(came[:BEGINNING])), b"")
    if decoder.codings is None:
        decoder.finish()
    for coding in decoder.codings or []:
        data = WHOLE[coding](data)
    return data


class _Zlib:
    __slots__ = ("_engine", "compress", "finish")

    def __init__(self, bits: int) -> None:
        self._engine = zlib.compressobj(LEVELS["zlib"], zlib.DEFLATED, bits)
        self.compress = self._engine.compress
        self.finish = self._engine.flush

    def flush(self) -> bytes:
        return self._engine.flush(zlib.Z_SYNC_FLUSH)


class _Brotli:
    __slots__ = ("compress", "finish", "flush")

    def __init__(self) -> None:
        engine = brotli.Compressor(quality=LEVELS["br"], lgwin=BR_WINDOW)
        self.compress: Change = engine.process
        self.flush: Callable[[], bytes] = engine.flush
        self.finish: Callable[[], bytes] = engine.finish


class _Zstd:
    __slots__ = ("_engine", "compress", "finish")

    def __init__(self) -> None:
        told = zstandard.ZstdCompressionParameters.from_level(
            LEVELS["zstd"], window_log=ZSTD_WINDOW
        )
        self._engine = zstandard.ZstdCompressor(compression_params=told).compressobj()
        self.compress = self._engine.compress
        self.finish = self._engine.flush

    def flush(self) -> bytes:
        return self._engine.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


CODERS: dict[str, Callable[[], _Coder]] = {
    "gzip": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(15),
    RAW: lambda: _Zlib(-15),
    "br": _Brotli,
    "zstd": _Zstd,
}
WHOLE: dict[str, Change] = {
    "gzip": lambda data: zlib.compress(data, LEVELS["zlib"], 31),
    "deflate": lambda data: zlib.compress(data, LEVELS["zlib"]),
    RAW: lambda data: zlib.compress(data, LEVELS["zlib"], -15),
    "br": lambda data: brotli.compress(data, quality=LEVELS["br"]),
    "zstd": lambda data: zstandard.ZstdCompressor(level=LEVELS["zstd"]).compress(data),
}
"""In one piece; zstd then tells the length of what is in it, which some readers need."""
