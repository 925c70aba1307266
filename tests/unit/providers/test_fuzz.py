"""No bytes make a parser raise, and none cost more than their length."""

import json
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.corpus import body, headers, needs_corpus, path_of, readable, wire_of
from tests.unit.providers.sample import Sample
from tests.unit.providers.samples_sessions import asked, frames

KINDS = (
    "",
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
)
wires = pytest.mark.parametrize("wire", sorted(FORMATS))


def read(wire: str, data: bytes, kind: str = "", status: int = 200, path: str = "/v1/x") -> None:
    read_request(wire, path, [], data)
    reader = AnswerReader(wire, status, [("content-type", kind)], path)
    for at in range(0, len(data), 65536):
        reader.feed(data[at : at + 65536])
    reader.finish()


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


KEYS = sorted(
    keys_of([s.whole for s in SAMPLES])
    | keys_of([s.events for s in SAMPLES])
    | keys_of([s.request for s in SAMPLES if isinstance(s.request, dict)])
)
strange = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*KEYS, "function_call", "message_start", "response.done", "text_delta"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(st.sampled_from(sorted(FORMATS)), st.sampled_from(KINDS), st.binary(max_size=300))
@settings(max_examples=400)
def test_random_bytes_are_survived(wire: str, kind: str, data: bytes) -> None:
    for start in (b"", b"{", b"data: ", b'data: {"', b'{"from": "server", "data": "'):
        read(wire, start + data, kind)


@given(st.sampled_from(sorted(FORMATS)), strange)
@settings(max_examples=800)
def test_known_fields_in_unknown_places_are_survived(wire: str, value: Any) -> None:
    data = json.dumps(value).encode()
    for sent in (data, b"data: " + data + b"\n\n", data + b"\n" + data):
        read(wire, sent)
    if wire in FRAMED:
        read(wire, frames([value]))
        read(wire, asked(value))


@needs_corpus
def test_damaged_recordings_are_survived() -> None:
    dice = random.Random(13)
    for exchange in dice.sample(readable(), 700):
        wire, path = wire_of(exchange), path_of(exchange)
        for side in ("request", "response"):
            data = bytearray(body(exchange, side)[:20_000])
            for _ in range(dice.randrange(1, 12)):
                _damage(data, dice)
            read_request(wire, path, headers(exchange, side), bytes(data))
            reader = AnswerReader(wire, exchange["status"], headers(exchange, side), path)
            reader.feed(bytes(data))
            reader.finish()


def _damage(data: bytearray, dice: random.Random) -> None:
    if not data:
        return
    at = dice.randrange(len(data))
    kind = dice.randrange(5)
    if kind == 0:
        data[at] = dice.randrange(256)
    elif kind == 1:
        del data[at : at + dice.randrange(30)]
    elif kind == 2:
        data[at:at] = data[at : at + dice.randrange(200)]
    elif kind == 3:
        data[at:at] = dice.choice(
            [b"null", b"[]", b"{}", b'""', b"1e999", b"-1", b"\\ud800", b"\0"]
        )
    else:
        words = [b'"text"', b'"type"', b'"delta"', b'"usage"', b'"content"', b'"index"']
        found = data.find(dice.choice(words))
        if found >= 0:
            data[found : found + 6] = dice.choice(words)


@wires
def test_deep_nesting_is_survived(wire: str) -> None:
    for depth in (900, 50_000):
        for opening, closing in (("[", "]"), ('{"content":', "}"), ('{"a":[', "]}")):
            data = (opening * depth + "1" + closing * depth).encode()
            read(wire, data)
            read(wire, b"data: " + data + b"\n\n", "text/event-stream")
            read(wire, b'{"output": ' + data + b', "choices": ' + data + b"}")
            if wire in FRAMED:
                frame = json.dumps({"from": "server", "type": "text", "data": data.decode()})
                read(wire, frame.encode())


@wires
def test_huge_numbers_are_survived(wire: str) -> None:
    big = "1" + "0" * 400
    for sample in (sample for sample in SAMPLES if sample.wire == wire):
        for document in (sample.whole, *sample.events):
            text = json.dumps(document)
            for number in (big, "1e400", "-1", "0.5", f"-{big}"):
                changed = "".join(number if c.isdigit() else c for c in text).encode()
                read(wire, changed, path=sample.path)
                read(wire, b"data: " + changed + b"\n\n", path=sample.path)


def over(samples: list[Sample]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sample", samples, ids=[sample.wire for sample in samples])


def took(work: Callable[[], object]) -> float:
    """The shortest of some CPU times, in seconds."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def _streamed(sample: Sample, times: int) -> bytes:
    """All events but the last two again and again: many blocks, many pieces."""
    return sample.encode(sample.events[:-2] * times + sample.events[-2:], sample.done)


@over([sample for sample in SAMPLES if len(sample.events) > 3])
def test_time_grows_with_length(sample: Sample) -> None:
    """Four times as much takes less than ten times as long: no square is hidden."""
    small, large = (
        took(partial(read, sample.wire, _streamed(sample, times), sample.kind, path=sample.path))
        for times in (200, 800)
    )
    assert large < 10 * small + 0.05


@over(SAMPLES)
def test_time_grows_with_the_number_of_items(sample: Sample) -> None:
    """Lists of a request and of an answer, a hundred and four hundred times as long."""
    small, large = (
        took(partial(read, sample.wire, whole, path=sample.path))
        + took(partial(read_request, sample.wire, sample.path, [], request))
        for whole, request in (_longer_documents(sample, factor) for factor in (100, 400))
    )
    assert large < 10 * small + 0.05


def _longer_documents(sample: Sample, factor: int) -> tuple[bytes, bytes]:
    request = sample.request if isinstance(sample.request, dict) else {}
    whole = json.dumps(_longer(sample.whole, factor)).encode()
    return whole, json.dumps(_longer(request, factor)).encode()


def _longer(value: Any, factor: int) -> Any:
    """The outermost lists, repeated."""
    if isinstance(value, list):
        return value * factor
    if isinstance(value, dict):
        return {key: _longer(item, factor) for key, item in value.items()}
    return value


@wires
def test_many_empty_things_take_no_longer_than_their_bytes(wire: str) -> None:
    for data in (
        b"data: {}\n\n" * 10_000,
        b"\n" * 100_000,
        b"data:\n" * 20_000,
        b"{}\n" * 20_000,
        b'{"output":[' + b"{}," * 20_000 + b"{}]}",
        b'{"choices":[' + b"[]," * 20_000 + b"{}]}",
    ):
        began = time.process_time()
        read(wire, data)
        assert time.process_time() - began < 5
