import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from llmproxy_core.providers.encoding import Decoder, decode_body

TEXT = b"".join(b'data: {"n": %d, "x": "%d"}\n\n' % (n, n * 7919 % 104729) for n in range(4000))


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:]),
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstandard.ZstdCompressor().compress,
    "zstd ": lambda data: (
        zstandard.ZstdCompressor().compress(data[:99])
        + zstandard.ZstdCompressor().compress(data[99:])
    ),
    "identity": bytes,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data), quality=4),
}
each = pytest.mark.parametrize("coding", ENCODERS)


def decode(coding: str, chunks: list[bytes], limit: int = 2**28) -> tuple[bytes, str | None]:
    decoder = Decoder([("Content-Encoding", coding)], limit)
    body = b"".join(piece for chunk in chunks for piece in decoder.feed(chunk))
    return body + decoder.finish(), decoder.problem


def cut(body: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    at = sorted(dice.randrange(len(body)) for _ in range(30))
    return [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]


@each
def test_bodies_are_decoded_whatever_the_cuts(coding: str) -> None:
    body = ENCODERS[coding](TEXT)
    assert decode_body([("content-encoding", coding)], body) == (TEXT, None)
    assert decode(coding, [body[i : i + 1] for i in range(len(body))]) == (TEXT, None)
    for seed in range(5):
        assert decode(coding, cut(body, seed)) == (TEXT, None)


@each
def test_text_that_is_not_encoded_as_announced_passes(coding: str) -> None:
    for text in (b'{"a": 1}', b"data: x\n\n", b"<html>", b'[{"a": 1}]', b"{"):
        name = coding.partition(",")[0]
        assert decode(name, [text]) == (text, None)
        assert decode(name, [bytes([byte]) for byte in text]) == (text, None)


def test_gzip_that_nobody_announced_is_decoded() -> None:
    assert decode_body([], gzip.compress(TEXT)) == (TEXT, None)


@each
def test_an_empty_body_is_empty(coding: str) -> None:
    assert decode(coding, []) == (b"", None)
    assert decode_body([("content-encoding", coding)], b"") == (b"", None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_ends_early_is_reported(coding: str) -> None:
    body = ENCODERS[coding](TEXT)
    text, problem = decode(coding, [body[:-30]])
    assert TEXT.startswith(text)
    assert len(text) < len(TEXT) or coding in ("gzip", "deflate")
    assert problem == f"the {coding} data end early"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_damage_is_reported_and_the_rest_dropped(coding: str) -> None:
    body = ENCODERS[coding](TEXT)
    start = 5 if coding == "zstd" else 200
    broken = body[:start] + bytes(byte ^ 0xA5 for byte in body[start:400]) + body[400:]
    text, problem = decode(coding, cut(broken, 1))
    assert problem
    assert text != TEXT
    assert len(text) < 2 * len(TEXT)


def test_an_unknown_coding_is_reported() -> None:
    assert decode("rot13", [b"abc"]) == (b"abc", "unknown content-encoding 'rot13'")
    assert decode(",".join(["gzip"] * 9), [b"abc"])[1]


def test_what_follows_the_end_is_ignored() -> None:
    for coding in ("gzip", "deflate"):
        assert decode(coding, [ENCODERS[coding](TEXT) + b"\0\0\0", b"\0"]) == (TEXT, None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_bomb_is_bounded_in_memory_and_reported(coding: str) -> None:
    bomb = ENCODERS[coding](b"\0" * 2**27)
    tracemalloc.start()
    decoder = Decoder([("content-encoding", coding)], limit=2**25)
    size = sum(len(piece) for piece in decoder.feed(bomb))
    size += sum(len(piece) for piece in decoder.feed(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 2**25
    assert decoder.problem == "more than 33554432 bytes after decoding"
    assert peak < 2**26


def test_long_runs_are_decoded_to_their_end() -> None:
    for size in range(2**20, 2**20 + 258, 5):
        assert decode("deflate", [raw_deflate(b"\0" * size)]) == (b"\0" * size, None)


def test_what_was_undone_can_be_told() -> None:
    def codings(coding: str, body: bytes) -> list[str] | None:
        decoder = Decoder([("content-encoding", coding)])
        assert decoder.codings is None
        list(decoder.feed(body))
        return decoder.codings

    assert codings("x-gzip", gzip.compress(TEXT)) == ["gzip"]
    assert codings("", gzip.compress(TEXT)) == ["gzip"]
    assert codings("gzip, br", ENCODERS["gzip, br"](TEXT)) == ["gzip", "br"]
    assert codings("deflate", zlib.compress(TEXT)) == ["deflate"]
    assert codings("deflate", raw_deflate(TEXT)) == ["raw"]
    assert codings("br", TEXT) == []
    assert codings("zstd", b"\x28") is None
