"""Content codings undone on our own copy: gzip, deflate, br, zstd, as the bytes come.

Recorders and gateways lie about codings, so the first bytes have a say: what is announced as gzip
and is plain text passes as it is, and gzip that nobody announced is still read.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli
import zstandard

from llmproxy_core.model import Headers, header

LIMIT = 256 * 2**20
"""Bytes that one body may have after decoding; the rest is dropped and reported."""
PIECE = 2**20
SLICE = 2**16
ZSTD_SLICE = 512
"""A zstd block of 4 bytes may stand for 128 KiB: small bites bound what one call can return."""
LAYERS = 4
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
PLAIN = (b'{"', b"{\n", b"{\r", b"{ ", b"{}", b"[{", b"[\n", b"data:", b"event:", b"<!", b"<h")
"""How text begins that was announced as br or deflate; two such bytes never begin those."""


class Codec(Protocol):
    """`done` only means something between two feeds: could the body end here?"""

    @property
    def done(self) -> bool: ...

    def feed(self, data: bytes) -> Iterator[bytes]: ...


RAW = "raw"
"""The name of deflate without the header of zlib, which some servers send as `deflate`."""


class Decoder:
    """Wire bytes in any cuts -> decoded bytes, in pieces of bounded size. Never raises.

    `problem` says what is wrong with the body, if something is: what could not be decoded is
    dropped. Where in a damaged body decoding stops may depend on the cuts.
    """

    __slots__ = ("_head", "_limit", "_names", "_stages", "problem")

    def __init__(self, headers: Headers, limit: int = LIMIT) -> None:
        self.problem: str | None = None
        self._limit = limit
        self._names = self._codings(headers)
        self._stages: list[_Stage] | None = None
        self._head = b""

    @property
    def codings(self) -> list[str] | None:
        """What really is undone, in the order in which it was done; None as long as that is open.

        Empty for plain text, whatever was announced. `RAW` can be told only when `feed` has given
        something; until then it is called deflate.
        """
        return None if self._stages is None else [stage.coding for stage in self._stages[::-1]]

    @property
    def damaged(self) -> bool:
        """Nothing more will come, whatever is fed: the data are damaged, or more than `limit`."""
        return any(stage.dead for stage in self._stages or ())

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Consume the whole iterator before the next call."""
        if self._stages is None:
            self._head += chunk
            self._stages = self._choose(self._head, ended=False)
            if self._stages is None:
                return iter(())
            chunk, self._head = self._head, b""
        return self._through(0, chunk) if self._stages else iter((chunk,))

    def finish(self) -> bytes:
        """What was held back to see how the body begins; sets `problem` if the end is missing."""
        rest = b""
        if self._stages is None and self._head:
            self._stages = self._choose(self._head, ended=True)
            rest = b"".join(self._through(0, self._head))
        for stage in self._stages or ():
            if self.problem is None and not (stage.dead or stage.codec.done):
                self.problem = f"the {stage.name} data end early"
        return rest

    def _codings(self, headers: Headers) -> list[str]:
        value = header(headers, "content-encoding") or ""
        names = [name.strip().lower() for name in value.split(",")]
        names = [name.removeprefix("x-") for name in names if name not in ("", "identity")]
        unknown = [name for name in names if name not in CODECS]
        if unknown or len(names) > LAYERS:
            self.problem = f"unknown content-encoding {value!r}"
            return []
        return names[::-1]

    def _choose(self, head: bytes, ended: bool) -> "list[_Stage] | None":
        """The codecs in the order of decoding, or None while `head` is too short to tell."""
        first = self._names[0] if self._names else ""
        announced = _looks_like(first, head, ended)
        if announced is None:
            return None
        if not announced:
            return []
        return [_Stage(name, self._limit) for name in self._names or ["gzip"]]

    def _through(self, at: int, data: bytes) -> Iterator[bytes]:
        stages = self._stages or []
        if at == len(stages):
            yield data
            return
        for piece in stages[at].feed(data, self):
            yield from self._through(at + 1, piece)


class _Stage:
    """One codec, with the count of what came out of it."""

    __slots__ = ("codec", "dead", "left", "name")

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.codec: Codec = CODECS[name]()
        self.left = limit
        self.dead = False

    @property
    def coding(self) -> str:
        raw = isinstance(self.codec, _Deflate) and self.codec.raw
        return RAW if raw else self.name

    def feed(self, data: bytes, owner: Decoder) -> Iterator[bytes]:
        if self.dead:
            return
        try:
            for piece in self.codec.feed(data):
                if len(piece) > self.left:
                    piece, self.dead = piece[: self.left], True
                    owner.problem = f"more than {owner._limit} bytes after decoding"
                self.left -= len(piece)
                if piece:
                    yield piece
                if self.dead:
                    return
        except (zlib.error, brotli.error, zstandard.ZstdError) as exc:
            self.dead = True
            owner.problem = owner.problem or f"damaged {self.name} data: {exc}"


class _Inflate:
    """gzip (several members) and deflate (with or without the zlib header)."""

    __slots__ = ("_bits", "_engine", "_fresh")

    def __init__(self, bits: int = 31) -> None:
        self._bits = bits
        self._engine = zlib.decompressobj(bits)
        self._fresh = True

    @property
    def done(self) -> bool:
        return self._engine.eof or self._fresh

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), SLICE):
            rest = data[at : at + SLICE]
            while rest:
                if self._engine.eof:
                    if not self._another(rest):
                        return
                    self._engine = zlib.decompressobj(self._bits)
                self._fresh = False
                yield (piece := self._engine.decompress(rest, PIECE))
                while len(piece) == PIECE and not self._engine.unconsumed_tail:
                    yield (piece := self._engine.decompress(b"", PIECE))
                rest = self._engine.unconsumed_tail or self._engine.unused_data

    def _another(self, rest: bytes) -> bool:
        """After the end of a member: another one, or padding to be ignored."""
        return self._bits == 31 and GZIP.startswith(rest[:2])


class _Deflate:
    __slots__ = ("_head", "_inflate", "raw")

    def __init__(self) -> None:
        self.raw = False
        self._head = b""
        self._inflate: _Inflate | None = None

    @property
    def done(self) -> bool:
        return self._inflate.done if self._inflate else not self._head

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._head += data
            if len(self._head) < 2:
                return
            data = self._head
            self.raw = data[0] & 15 != 8 or int.from_bytes(data[:2]) % 31 != 0
            self._inflate = _Inflate(-15 if self.raw else 15)
        yield from self._inflate.feed(data)


class _Brotli:
    __slots__ = ("_engine", "_fresh")

    def __init__(self) -> None:
        self._engine = brotli.Decompressor()
        self._fresh = True

    @property
    def done(self) -> bool:
        return self._fresh or bool(self._engine.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), SLICE):
            if self._engine.is_finished():
                return
            self._fresh = False
            yield self._engine.process(data[at : at + SLICE], output_buffer_limit=PIECE)
            while not self._engine.can_accept_more_data():
                yield self._engine.process(b"", output_buffer_limit=PIECE)


class _Zstd:
    __slots__ = ("_engine", "_fresh")

    def __init__(self) -> None:
        self._engine = zstandard.ZstdDecompressor().decompressobj()
        self._fresh = True

    @property
    def done(self) -> bool:
        return self._fresh or bool(self._engine.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), ZSTD_SLICE):
            rest = data[at : at + ZSTD_SLICE]
            while rest:
                if self._engine.eof:
                    self._engine = zstandard.ZstdDecompressor().decompressobj()
                self._fresh = False
                yield self._engine.decompress(rest)
                rest = self._engine.unused_data if self._engine.eof else b""


CODECS: dict[str, type[Codec]] = {
    "gzip": _Inflate,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


def decode_body(headers: Headers, body: bytes, limit: int = LIMIT) -> tuple[bytes, str | None]:
    """A whole body without its content codings, and what is wrong with it, if something is."""
    decoder = Decoder(headers, limit)
    pieces = list(decoder.feed(body)) if body else []
    pieces.append(decoder.finish())
    return b"".join(pieces), decoder.problem


def _looks_like(name: str, head: bytes, ended: bool) -> bool | None:
    """Do the first bytes fit the coding (`` ``: none was announced)? None: too few to tell."""
    if name in ("br", "deflate"):
        if head.startswith(PLAIN):
            return False
        if any(text.startswith(head) for text in PLAIN):
            return False if ended else None
        return True
    magic = ZSTD if name == "zstd" else GZIP
    if head.startswith(magic):
        return True
    return None if not ended and magic.startswith(head) else False
