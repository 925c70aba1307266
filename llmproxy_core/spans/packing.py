"""zstd for pieces and edits, with a dictionary of what such texts have in common.

The first byte says how the rest is packed. A dictionary that has been used is never changed: a
better one is another byte.
"""

import zstandard

from llmproxy_core.spans.dictionary import DICTIONARY

AS_IT_IS, ZSTD, ZSTD_DICTIONARY = b"\x00", b"\x01", b"\x02"
LEAST = 32
SHORT = 16_384
"""Bytes up to which the dictionary helps, and a higher level costs little."""
LEVEL, SHORT_LEVEL = 3, 6
FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS


class Packer:
    """Not thread-safe."""

    def __init__(self) -> None:
        long = zstandard.ZstdCompressionParameters.from_level(LEVEL, format=FORMAT)
        short = zstandard.ZstdCompressionParameters.from_level(
            SHORT_LEVEL, source_size=SHORT, dict_size=len(DICTIONARY), format=FORMAT
        )
        shared = _dictionary()
        shared.precompute_compress(compression_params=short)
        self._long = zstandard.ZstdCompressor(compression_params=long)
        self._short = zstandard.ZstdCompressor(compression_params=short, dict_data=shared)

    def pack(self, data: bytes) -> bytes:
        if len(data) >= LEAST:
            short = len(data) <= SHORT
            packed = (self._short if short else self._long).compress(data)
            if len(packed) < len(data):
                return (ZSTD_DICTIONARY if short else ZSTD) + packed
        return AS_IT_IS + data


class Unpacker:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._long = zstandard.ZstdDecompressor(format=FORMAT)
        self._short = zstandard.ZstdDecompressor(dict_data=_dictionary(), format=FORMAT)

    def unpack(self, stored: bytes) -> bytes:
        """Raises ValueError where the data is damaged."""
        kind = stored[:1]
        if kind == AS_IT_IS:
            return stored[1:]
        if kind not in (ZSTD, ZSTD_DICTIONARY):
            raise ValueError(f"unknown packing: {kind!r}")
        try:
            return (self._long if kind == ZSTD else self._short).decompress(stored[1:])
        except zstandard.ZstdError as exc:
            raise ValueError(str(exc)) from exc


def _dictionary() -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(DICTIONARY, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
