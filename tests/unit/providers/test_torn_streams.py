"""What no recording holds: calls that come interleaved, streams that die within a character."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.model import Response
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.catalogue import SPEAKING, STREAMED
from tests.unit.providers.sample import Event, Sample, sse

NAMES = ("weather", "time", "map")
ARGUMENTS = '{"city": "Øslo 😀", "n": [1, 2.5, null]}'
TEXT = "Ich schaue nach: ü 😀"


def chat(n: int, piece: str | None) -> Event:
    call: Event = {"index": n, "function": {"arguments": piece or ""}}
    if piece is None:
        call |= {"id": f"c{n}", "function": {"name": NAMES[n], "arguments": ""}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


def messages(n: int, piece: str | None) -> Event:
    if piece is None:
        block = {"type": "tool_use", "id": f"c{n}", "name": NAMES[n], "input": {}}
        return {"type": "content_block_start", "index": n, "content_block": block}
    delta = {"type": "input_json_delta", "partial_json": piece}
    return {"type": "content_block_delta", "index": n, "delta": delta}


def responses(n: int, piece: str | None) -> Event:
    if piece is None:
        item = {"type": "function_call", "call_id": f"c{n}", "name": NAMES[n]}
        return {"type": "response.output_item.added", "output_index": n, "item": item}
    return {
        "type": "response.function_call_arguments.delta",
        "output_index": n,
        "delta": piece,
    }


def cohere(n: int, piece: str | None) -> Event:
    function = {"name": NAMES[n], "arguments": ""} if piece is None else {"arguments": piece}
    call: Event = {"function": function} | ({"id": f"c{n}"} if piece is None else {})
    kind = "tool-call-start" if piece is None else "tool-call-delta"
    return {"type": kind, "index": n, "delta": {"message": {"tool_calls": call}}}


WIRES: dict[str, Callable[[int, str | None], Event]] = {
    "openai.chat": chat,
    "anthropic.messages": messages,
    "openai.responses": responses,
    "cohere.chat": cohere,
}


@pytest.mark.parametrize("wire", WIRES)
def test_calls_that_come_interleaved_are_told_apart(wire: str) -> None:
    dice, event = random.Random(9), WIRES[wire]
    for _ in range(20):
        left = {n: ARGUMENTS for n in range(3)}
        events = [event(n, None) for n in left]
        while left:
            n = dice.choice(list(left))
            size = dice.randrange(1, 9)
            events.append(event(n, left[n][:size]))
            left[n] = left[n][size:]
            left = {n: rest for n, rest in left.items() if rest}
        calls = fed(wire, [sse(events)]).tool_calls
        assert [(call.id, call.name, call.arguments) for call in calls] == [
            (f"c{n}", NAMES[n], ARGUMENTS) for n in range(3)
        ]


def fed(
    wire: str, chunks: list[bytes], kind: str = "text/event-stream", coding: str = ""
) -> Response:
    reader = AnswerReader(wire, 200, [("content-type", kind), ("content-encoding", coding)])
    for chunk in chunks:
        reader.feed(chunk)
    return reader.finish()


def within_a_character(sample: Sample) -> list[bytes]:
    """The stream up to each byte of its emoji that is not the last one."""
    start = sample.stream.index("😀".encode())
    return [sample.stream[: start + n] for n in (1, 2, 3)]


raw = [s for s in SPEAKING if s.events and "😀".encode() in s.stream]


@pytest.mark.parametrize("sample", raw, ids=[sample.wire for sample in raw])
def test_a_stream_may_die_within_a_character(sample: Sample) -> None:
    for body in within_a_character(sample):
        response = fed(sample.wire, [body], sample.kind)
        assert response.incomplete
        assert TEXT.startswith(response.text)
        assert "\ufffd" not in response.text
        assert fed(sample.wire, [bytes([byte]) for byte in body], sample.kind) == response


def compressed(name: str, body: bytes) -> bytes:
    if name == "zstd":
        encoder = zstandard.ZstdCompressor().compressobj()
        return encoder.compress(body) + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    if name == "br":
        brotli_encoder = brotli.Compressor()
        return bytes(brotli_encoder.process(body) + brotli_encoder.flush())
    if name == "gzip":
        return gzip.compress(body)[:-8]
    deflate = zlib.compressobj()
    return deflate.compress(body) + deflate.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip", "deflate"])
@pytest.mark.parametrize("sample", raw, ids=[sample.wire for sample in raw])
def test_a_compressed_stream_may_die_within_a_character(sample: Sample, coding: str) -> None:
    """The coding is flushed and never ended, as when a client hangs up."""
    for body in within_a_character(sample):
        data = compressed(coding, body)
        expected = fed(sample.wire, [body], sample.kind)
        for chunks in ([data], [bytes([byte]) for byte in data]):
            response = fed(sample.wire, chunks, sample.kind, coding)
            assert (response.text, response.parts) == (expected.text, expected.parts)
            assert response.incomplete


each = st.sampled_from(STREAMED)


@settings(max_examples=200, deadline=None)
@given(each, st.data())
def test_a_damaged_stream_is_read_alike_in_all_cuts(sample: Sample, data: st.DataObject) -> None:
    body = bytearray(sample.stream)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        body = body or bytearray(b"x")
    whole = fed(sample.wire, [bytes(body)], sample.kind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=9)))
    ends = [0, *cuts, len(body)]
    chunks = [bytes(body[a:b]) for a, b in pairwise(ends)]
    assert fed(sample.wire, chunks, sample.kind) == whole


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SPEAKING),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
        max_leaves=12,
    ),
)
def test_any_json_is_survived(sample: Sample, value: Any) -> None:
    first = next(iter(sample.whole), "error")
    for body in (value, {**sample.whole, first: value}):
        text = json.dumps(body).encode()
        fed(sample.wire, [text], "application/json")
        fed(sample.wire, [b"data: " + text + b"\n\n"])
