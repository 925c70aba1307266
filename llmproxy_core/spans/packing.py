"""zstd for pieces and edits, with dictionaries of what such texts have in common.

The first byte says how the rest is packed. WITH_ANCHOR is used in edits: the dictionary is what
the *anchor*, an edit that was not packed so and leads to it, has in its steps; WITH_BASE adds the
steps of the edit just before it. WITH_PIECES is followed by the hash of a *lexicon*: a piece that
lists, by hash, the pieces which joined are the dictionary: what was said in the same session
before. A shared dictionary that has been used is never changed: a better one is another byte.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cached_property

import zstandard

from llmproxy_core.spans.dictionary import DICTIONARY
from llmproxy_core.spans.items import HASH

AS_IT_IS, ZSTD, ZSTD_DICTIONARY, WITH_PIECES = b"\x00", b"\x01", b"\x02", b"\x03"
WITH_ANCHOR, WITH_BASE = b"\x04", b"\x05"
LEAST = 32
ANCHORS = 32
"""Dictionaries that are kept ready: some 100 KB each."""
SHORT = 16_384
"""Bytes up to which a dictionary helps, and a higher level costs little."""
LEVEL, SHORT_LEVEL = 3, 6
FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS


class Lexicon:
    """A dictionary made of pieces. `listing` is what is stored of it, under `digest`."""

    def __init__(self, digest: bytes, listing: bytes, pieces: Iterable[bytes]) -> None:
        self.digest = digest
        self.listing = listing
        self._zstd = _short(b"".join(pieces))

    def pack(self, data: bytes) -> bytes:
        return WITH_PIECES + self.digest + self._zstd.compress(data)


class Packer:
    """Not thread-safe."""

    def __init__(self) -> None:
        long = zstandard.ZstdCompressionParameters.from_level(LEVEL, format=FORMAT)
        self._long = zstandard.ZstdCompressor(compression_params=long)
        self._short = _short(DICTIONARY)
        self._anchored: OrderedDict[bytes, zstandard.ZstdCompressor] = OrderedDict()

    def pack_steps(self, steps: bytes, anchor: bytes, base: bytes = b"") -> bytes:
        """The steps of an edit; `anchor`: those of its anchor. `base`: those of what it is an edit
        of, where that pays."""
        known = anchor + base
        zstd = self._anchored.pop(known, None) or _short(known)
        self._anchored[known] = zstd
        if len(self._anchored) > ANCHORS:
            self._anchored.popitem(last=False)
        return (WITH_BASE if base else WITH_ANCHOR) + zstd.compress(steps)

    def pack(self, data: bytes, lexicon: Lexicon | None = None) -> bytes:
        if len(data) < LEAST:
            return AS_IT_IS + data
        if len(data) > SHORT:
            packed = ZSTD + self._long.compress(data)
        elif lexicon is not None:
            packed = lexicon.pack(data)
        else:
            packed = ZSTD_DICTIONARY + self._short.compress(data)
        return packed if len(packed) <= len(data) else AS_IT_IS + data


class Anchor:
    """Reads the steps of the edits that follow one, with its own steps and those of its anchor."""

    def __init__(self, steps: bytes = b"", anchor: "Anchor | None" = None) -> None:
        self._known: bytes = steps if anchor is None else anchor._known + steps
        self._anchor = anchor or self

    @cached_property
    def _zstd(self) -> zstandard.ZstdDecompressor:
        return _reading(self._known)

    def unpack(self, data: bytes) -> tuple[bytes, "Anchor"]:
        """The steps of an edit, and what reads those that follow it."""
        reader = self if data[:1] == WITH_BASE else self._anchor
        steps = _unpacked(reader._zstd, data[1:])
        return steps, Anchor(steps, self._anchor)


class Unpacker:
    """Not thread-safe. `fetch`: hashes -> what is stored under them."""

    def __init__(self, fetch: Callable[[set[bytes]], dict[bytes, bytes]]) -> None:
        self._fetch = fetch
        self._long = zstandard.ZstdDecompressor(format=FORMAT)
        self._short = _reading(DICTIONARY)
        self._lexicons: dict[bytes, zstandard.ZstdDecompressor] = {}
        self._pieces: dict[bytes, bytes] = {}

    def unpack(self, stored: bytes) -> bytes:
        """What is packed without a lexicon. Raises ValueError where it is damaged."""
        kind = stored[:1]
        if kind == AS_IT_IS:
            return stored[1:]
        if kind not in (ZSTD, ZSTD_DICTIONARY):
            raise ValueError(f"unknown packing: {kind!r}")
        return _unpacked(self._long if kind == ZSTD else self._short, stored[1:])

    def pieces(self, hashes: set[bytes]) -> dict[bytes, bytes]:
        """Hash -> piece. Raises KeyError with the hash of one that is missing, ValueError."""
        stored = self._fetch(hashes - self._pieces.keys())
        self._learn({data[1 : 1 + HASH] for data in stored.values() if data[:1] == WITH_PIECES})
        for digest, data in stored.items():
            self._pieces[digest] = self._piece(data)
        return {digest: self._pieces[digest] for digest in hashes}

    def steps(self, stored: bytes, anchor: Anchor) -> tuple[bytes, Anchor]:
        """The packed steps of an edit, and the anchor of those that follow it."""
        if stored[:1] in (WITH_ANCHOR, WITH_BASE):
            return anchor.unpack(stored)
        steps = self.unpack(stored)
        return steps, Anchor(steps)

    def _piece(self, data: bytes) -> bytes:
        if data[:1] != WITH_PIECES:
            return self.unpack(data)
        return _unpacked(self._lexicons[data[1 : 1 + HASH]], data[1 + HASH :])

    def _learn(self, lexicons: set[bytes]) -> None:
        unknown = lexicons - self._lexicons.keys()
        if unknown:
            for digest, listing in self.pieces(unknown).items():
                hashes = listed(listing)
                found = self.pieces(set(hashes))
                self._lexicons[digest] = _reading(b"".join([found[one] for one in hashes]))


def listed(listing: bytes) -> list[bytes]:
    """The hashes in what is stored of a lexicon."""
    return [listing[at : at + HASH] for at in range(0, len(listing), HASH)]


def lexicon_of(stored: bytes) -> bytes | None:
    """The hash of the lexicon without which a stored piece cannot be read."""
    return stored[1 : 1 + HASH] if stored[:1] == WITH_PIECES else None


def _unpacked(zstd: zstandard.ZstdDecompressor, data: bytes) -> bytes:
    try:
        return zstd.decompress(data)
    except zstandard.ZstdError as exc:
        raise ValueError(str(exc)) from exc


def _short(dictionary: bytes) -> zstandard.ZstdCompressor:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        SHORT_LEVEL, source_size=SHORT, dict_size=len(dictionary), format=FORMAT
    )
    raw = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    raw.precompute_compress(compression_params=parameters)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=raw)


def _reading(dictionary: bytes) -> zstandard.ZstdDecompressor:
    raw = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=raw, format=FORMAT)
