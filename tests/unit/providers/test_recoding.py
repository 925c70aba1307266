"""Streams and bodies that are changed within their content codings, in any cuts."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator

import brotli
import httpx
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.providers.encoding import Decoder, decode_body
from llmproxy_core.providers.recoding import Encoder, Recoder, decode_whole, encode_whole
from tests.unit.providers.corpus import body, exchanges, headers, needs_corpus

EVENTS = [b'data: {"n": %d, "name": "pay__%d"}\n\n' % (n, n * 7919 % 104729) for n in range(300)]
TEXT = b"".join(EVENTS)
CODINGS = ["gzip", "deflate", "raw", "br", "zstd", "gzip, br", "zstd, gzip", "raw, zstd, br"]
SINGLE = CODINGS[:5]
each = pytest.mark.parametrize("coding", CODINGS)
single = pytest.mark.parametrize("coding", SINGLE)


def announced(coding: str) -> list[tuple[str, str]]:
    return [("Content-Encoding", coding.replace("raw", "deflate"))]


def by_event(coding: str, events: Iterable[bytes] = EVENTS) -> list[bytes]:
    """A chunk an event, as providers flush them, and the end."""
    encoder = Encoder(coding.split(", "))
    return [*map(encoder.encode, events), encoder.finish()]


def strip(data: bytes) -> bytes:
    """A change for which cuts do not matter."""
    return data.replace(b"_", b"")


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def recode(coding: str, chunks: list[bytes], change=strip, end: bytes = b"") -> tuple[bytes, str]:
    recoder = Recoder(announced(coding))
    sent = [recoder.feed(chunk, change) for chunk in chunks]
    sent.append(recoder.finish(change, lambda: end))
    return b"".join(sent), recoder.problem or ""


@each
@settings(deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=8))
def test_what_was_put_in_can_be_read_at_once_and_at_the_end(coding: str, pieces) -> None:
    encoder = Encoder(coding.split(", "))
    decoder = Decoder(announced(coding))
    for piece in pieces:
        data = b"\x00" + piece
        assert b"".join(decoder.feed(encoder.encode(data))) == data
    assert b"".join(decoder.feed(encoder.finish())) == b""
    decoder.finish()
    assert decoder.problem is None


@each
def test_nothing_is_a_body_too(coding: str) -> None:
    assert decode_body(announced(coding), Encoder(coding.split(", ")).finish()) == (b"", None)
    assert Encoder(coding.split(", ")).encode(b"") == b""


def test_without_codings_the_bytes_pass() -> None:
    encoder = Encoder([])
    assert (encoder.encode(b"a"), encoder.finish(), encoder.spoil()) == (b"a", b"", b"")


@each
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_changed_stream_has_the_coding_it_came_in(coding: str, size: int) -> None:
    sent, problem = recode(coding, cut(b"".join(by_event(coding)), size))
    assert decode_body(announced(coding), sent) == (strip(TEXT), None)
    assert not problem
    decoder = Decoder(announced(coding))
    assert b"".join(decoder.feed(sent))
    assert decoder.codings == coding.split(", ")


@each
def test_an_event_leaves_with_the_chunk_that_completes_it(coding: str) -> None:
    came, recoder, left = (
        Decoder(announced(coding)),
        Recoder(announced(coding)),
        Decoder(announced(coding)),
    )
    for chunk in cut(b"".join(by_event(coding)), 7):
        whole = b"".join(came.feed(chunk))
        assert b"".join(left.feed(recoder.feed(chunk, lambda data: data))) == whole


@each
def test_an_event_a_chunk_is_an_event_a_chunk(coding: str) -> None:
    recoder, left = Recoder(announced(coding)), Decoder(announced(coding))
    for event, chunk in zip(EVENTS, by_event(coding), strict=False):
        assert b"".join(left.feed(recoder.feed(chunk, strip))) == strip(event)


@each
def test_what_is_held_back_is_sent_at_the_end(coding: str) -> None:
    sent, _ = recode(coding, by_event(coding), change=lambda data: b"", end=b"held")
    assert decode_body(announced(coding), sent) == (b"held", None)


@settings(deadline=None)
@given(st.sampled_from(CODINGS), st.lists(st.binary(min_size=1, max_size=500)), st.data())
def test_a_stream_is_the_same_after_any_cuts(coding: str, pieces: list[bytes], data) -> None:
    pieces = [b"\x00" + piece for piece in pieces]
    stream = b"".join(by_event(coding, pieces))
    at = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *at], [*at, len(stream)], strict=True)]
    sent, problem = recode(coding, chunks, change=lambda data: data)
    assert not problem
    assert decode_body(announced(coding), sent) == (b"".join(pieces), None)


@each
@pytest.mark.parametrize("size", [1, 100])
def test_text_that_is_not_coded_as_announced_leaves_as_text(coding: str, size: int) -> None:
    for text in (TEXT, b'{"name": "pay__1"}', b"{", b"<html>"):
        assert recode(coding, cut(text, size), lambda data: data) == (text, "")
    assert recode(coding, [TEXT]) == (strip(TEXT), "")


def test_gzip_that_nobody_announced_stays_gzip() -> None:
    recoder = Recoder([])
    sent = recoder.feed(gzip.compress(TEXT), strip) + recoder.finish(strip, bytes)
    assert gzip.decompress(sent) == strip(TEXT)


@each
def test_nothing_stays_nothing(coding: str) -> None:
    assert recode(coding, []) == (b"", "")
    assert recode(coding, [b""]) == (b"", "")
    sent, problem = recode(coding, [Encoder(coding.split(", ")).finish()])
    assert decode_body(announced(coding), sent) == (b"", None)
    assert not problem


@pytest.mark.parametrize("coding", ["compress", "gzip, rot13", ", ".join(["gzip"] * 9)])
def test_a_coding_that_nobody_knows_is_left_alone(coding: str) -> None:
    recoder = Recoder([("content-encoding", coding)])
    assert not recoder.able
    assert recoder.feed(b"pay__", strip) == b"pay__"
    assert recoder.finish(strip, bytes) == b""
    assert decode_whole([("content-encoding", coding)], b"pay__") is None


@pytest.mark.parametrize("coding", ["", *CODINGS])
def test_after_a_fault_of_ours_the_text_passes_as_it_came(coding: str) -> None:
    headers = announced(coding) if coding else []
    recoder = Recoder(headers)

    def fail_late(data: bytes) -> bytes:
        if b'"n": 200' in data:
            raise LookupError
        return strip(data)

    chunks = by_event(coding) if coding else EVENTS
    sent = b"".join(recoder.feed(chunk, fail_late) for chunk in chunks)
    sent += recoder.finish(fail_late, lambda: b"held")
    wanted = b"".join(map(strip, EVENTS[:200])) + b"".join(EVENTS[200:])
    assert decode_body(headers, sent) == (wanted, None)
    assert isinstance(recoder.fault, LookupError)


def test_a_fault_at_the_end_leaves_a_whole_stream() -> None:
    def fail() -> bytes:
        raise LookupError

    recoder = Recoder(announced("gzip"))
    sent = b"".join(recoder.feed(chunk, strip) for chunk in by_event("gzip"))
    sent += recoder.finish(strip, fail)
    assert gzip.decompress(sent) == strip(TEXT)
    assert recoder.fault is not None


@each
def test_a_stream_that_ends_early_ends_early(coding: str) -> None:
    sent, problem = recode(coding, by_event(coding)[:-1])
    assert problem.endswith("data end early")
    assert decode_body(announced(coding), sent) == (strip(TEXT), problem)


READERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: zlib.decompressobj(31).decompress(data),
    "deflate": lambda data: zlib.decompressobj().decompress(data),
    "raw": lambda data: zlib.decompressobj(-15).decompress(data),
    "br": lambda data: brotli.Decompressor().process(data),
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
ERRORS = (zlib.error, brotli.error, zstandard.ZstdError)


@single
def test_after_damage_the_receiver_fails_as_it_would_have(coding: str) -> None:
    chunks = by_event(coding)
    chunks[200] = bytes(byte ^ 0xA5 for byte in chunks[200])
    with pytest.raises(ERRORS):
        READERS[coding](b"".join(chunks))
    sent, problem = recode(coding, chunks, end=b"more")
    assert problem.startswith("damaged")
    with pytest.raises(ERRORS):
        READERS[coding](sent)
    text, _ = decode_body(announced(coding), sent[:-3])
    assert strip(TEXT).startswith(text)
    assert len(text) > len(strip(b"".join(EVENTS[:100])))


class Chunks(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)


@pytest.mark.parametrize("coding", [*SINGLE, "gzip, br"])
def test_a_real_client_reads_event_by_event_and_sees_damage(coding: str) -> None:
    recoder, chunks = Recoder(announced(coding)), by_event(coding)
    chunks[200] = bytes(byte ^ 0xA5 for byte in chunks[200])
    sent = [recoder.feed(chunk, strip) for chunk in chunks]
    answer = httpx.Response(200, headers=announced(coding), stream=Chunks(sent))
    pieces = answer.iter_bytes()
    assert [next(pieces) for _ in range(200)] == [strip(event) for event in EVENTS[:200]]
    with pytest.raises(httpx.DecodingError):
        next(pieces)


@single
def test_a_receiver_fails_even_if_nothing_was_sent_before(coding: str) -> None:
    for encoder in (Encoder([coding]), Encoder(["gzip", coding])):
        with pytest.raises(ERRORS):
            READERS[coding](encoder.spoil() + b"\0" * 9)


@each
@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(1, 255))
def test_no_damaged_byte_raises(coding: str, at: int, flip: int) -> None:
    stream = bytearray(b"".join(by_event(coding)))
    stream[at % len(stream)] ^= flip
    recode(coding, cut(bytes(stream), 500))


@settings(deadline=None)
@given(st.sampled_from(CODINGS), st.lists(st.binary(max_size=60)))
def test_no_bytes_raise(coding: str, chunks: list[bytes]) -> None:
    recode(coding, chunks, end=b"x")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_bomb_is_bounded_in_memory_and_ends_the_stream(coding: str) -> None:
    bomb = encode_whole([], b"\0" * 2**26, b"")
    for name in coding.split(", "):
        encoder = Encoder([name])
        bomb = encoder.encode(bomb) + encoder.finish()
    tracemalloc.start()
    recoder = Recoder(announced(coding), limit=2**24)
    sent = recoder.feed(bomb, bytes)
    assert recoder.feed(bomb, bytes) == b""
    assert recoder.finish(bytes, bytes) == b""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recoder.problem == "more than 16777216 bytes after decoding"
    assert len(sent) < 2**21
    assert peak < 2**26
    assert decode_whole(announced(coding), bomb, limit=2**24) is None


@each
def test_a_whole_body_keeps_its_coding(coding: str) -> None:
    came = b"".join(by_event(coding))
    assert decode_whole(announced(coding), came) == TEXT
    sent = encode_whole(announced(coding), strip(TEXT), came)
    assert decode_whole(announced(coding), sent) == strip(TEXT)
    decoder = Decoder(announced(coding))
    assert b"".join(decoder.feed(sent)) == strip(TEXT)
    assert decoder.codings == coding.split(", ")


def test_a_whole_body_that_is_text_stays_text() -> None:
    for text in (b'{"a": 1}', b"{", b""):
        assert decode_whole(announced("gzip"), text) == text
        assert encode_whole(announced("gzip"), b"new", text) == b"new"


def test_a_whole_body_that_is_damaged_is_not_read() -> None:
    assert decode_whole(announced("gzip"), gzip.compress(TEXT)[:-9]) is None
    assert decode_whole(announced("zstd"), b"\x28\xb5\x2f\xfd\xff\xff\xff") is None


def test_a_whole_body_in_zstd_tells_its_length() -> None:
    came = zstandard.ZstdCompressor().compress(TEXT)
    sent = encode_whole(announced("zstd"), strip(TEXT), came)
    assert zstandard.get_frame_parameters(sent).content_size == len(strip(TEXT))


@needs_corpus
def test_recorded_answers_are_the_same_after_it() -> None:
    coded = 0
    for exchange in exchanges():
        told = headers(exchange, "response")
        if not any(name.lower() == "content-encoding" for name, _ in told):
            continue
        came = body(exchange, "response")
        recoder = Recoder(told)
        sent = b"".join(recoder.feed(chunk, bytes) for chunk in cut(came, 97))
        sent += recoder.finish(bytes, bytes)
        assert decode_body(told, sent) == decode_body(told, came), exchange["id"]
        assert sent[:2] == came[:2]
        coded += 1
    assert coded > 300
