"""Content encodings, both ways; every encoder flushes with each piece, so that none waits."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard


@dataclass(frozen=True, slots=True)
class Encoder:
    """`piece` gives bytes from which all that was put in so far can be read; `end` closes."""

    piece: Callable[[bytes], bytes]
    end: Callable[[], bytes]


def encoder(encoding: str) -> Encoder:
    match encoding:
        case "gzip":
            return _zlib(zlib.compressobj(1, zlib.DEFLATED, 31))
        case "deflate":
            return _zlib(zlib.compressobj(1))
        case "br":
            br = brotli.Compressor(quality=1)
            return Encoder(lambda data: br.process(data) + br.flush(), br.finish)
        case "zstd":
            zstd = zstandard.ZstdCompressor(level=1).compressobj()
            block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return Encoder(lambda data: zstd.compress(data) + zstd.flush(block), zstd.flush)
        case _:
            return Encoder(lambda data: data, lambda: b"")


def decode(body: bytes, encoding: str) -> bytes:
    """A request body; one that cannot be decoded is given back as it is, and will not be JSON."""
    try:
        match encoding.lower():
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "br":
                return bytes(brotli.decompress(body))
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
        pass
    return body


def _zlib(compressor: "zlib._Compress") -> Encoder:
    def piece(data: bytes) -> bytes:
        return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)

    return Encoder(piece, compressor.flush)
