"""AWS eventstreams whose events are changed, in any cuts and of any damage."""

import json
from base64 import b64encode
from collections.abc import Callable
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.namespace.eventstream import EventStreamNames, in_base64
from llmproxy_core.providers.eventstream import MessageReader, encode_message
from tests.unit.providers.corpus import body, exchanges, needs_corpus
from tests.unit.providers.samples_bedrock import CONVERSE, INVOKE, message

texts = st.text(max_size=40)
told = st.lists(st.tuples(st.dictionaries(texts, texts, max_size=4), st.binary(max_size=300)))


def strip(payload: bytes) -> bytes:
    return payload.replace(b"pay__", b"")


def prefix(payload: bytes) -> bytes:
    return payload.replace(b'"name":"', b'"name":"pay__').replace(b'"name": "', b'"name": "pay__')


def sent(stream: bytes, change: Callable[[bytes], bytes], at: list[int]) -> bytes:
    names = EventStreamNames(change)
    at = sorted(at)
    cuts = zip([0, *at], [*at, len(stream)], strict=True)
    return b"".join(names.feed(stream[a:b]) for a, b in cuts) + names.finish()


@settings(deadline=None)
@given(told, st.data())
def test_what_changes_nothing_changes_no_byte(messages, data) -> None:
    stream = b"".join(encode_message(headers, payload) for headers, payload in messages)
    at = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    assert sent(stream, bytes, at) == stream


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=6), st.binary(max_size=50), st.data())
def test_a_changed_message_is_what_aws_would_have_sent(payloads, added: bytes, data) -> None:
    headers = {":event-type": "chunk", ":message-type": "event", "x": "ü"}
    stream = b"".join(encode_message(headers, payload) for payload in payloads)
    wanted = b"".join(encode_message(headers, payload + added) for payload in payloads)
    at = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    assert sent(stream, lambda payload: payload + added, at) == wanted


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_message_leaves_with_the_chunk_that_completes_it(size: int) -> None:
    names, came, left = EventStreamNames(strip), MessageReader(), MessageReader()
    for at in range(0, len(CONVERSE.stream), size):
        chunk = CONVERSE.stream[at : at + size]
        whole = came.feed(chunk)
        assert left.feed(names.feed(chunk)) == whole


def test_headers_of_all_types_stay_the_same_bytes() -> None:
    values = {0: b"", 2: b"x", 4: b"xxxx", 8: b"x" * 8, 9: b"x" * 16, 6: b"\x00\x02hi"}
    headers = b"".join(b"\x01n" + bytes([kind]) + value for kind, value in values.items())
    frame = encode_message({":event-type": "chunk"}, b"")
    frame = frame[:12] + headers + frame[12:-4] + b"pay__x"
    stream = _sealed(frame, len(headers) + int.from_bytes(frame[4:8]))
    changed = sent(stream, strip, [])
    assert headers in changed
    assert [one.payload for one in MessageReader().feed(changed)] == [b"x"]
    assert MessageReader().feed(stream)[0].payload == b"pay__x"


def _sealed(frame: bytes, headers: int) -> bytes:
    """With the lengths and checksums that it should have."""
    prelude = (len(frame) + 4).to_bytes(4) + headers.to_bytes(4)
    whole = prelude + crc32(prelude).to_bytes(4) + frame[12:]
    return whole + crc32(whole).to_bytes(4)


def test_a_message_that_cannot_be_changed_passes_as_it_came() -> None:
    def fail(payload: bytes) -> bytes:
        if b"pay__y" in payload:
            raise LookupError
        return strip(payload)

    x, y = (message("event", "chunk", {"name": f"pay__{name}"}) for name in "xy")
    names = EventStreamNames(fail)
    assert names.feed(x + y + x) == strip_one(x) + y + strip_one(x)
    assert isinstance(names.fault, LookupError)


def test_only_events_are_changed() -> None:
    for kind in ("exception", "error"):
        thrown = message(kind, "throttlingException", {"message": "pay__x"})
        assert sent(thrown, strip, []) == thrown
    event = message("event", "contentBlockStart", {"name": "pay__x"})
    assert sent(event, strip, []) == message("event", "contentBlockStart", {"name": "x"})


def test_an_unfinished_message_is_held_and_given_back_at_the_end() -> None:
    names = EventStreamNames(strip)
    stream = message("event", "contentBlockStart", {"name": "pay__x"})
    assert names.feed(stream[:-1]) == b""
    assert names.finish() == stream[:-1]
    assert names.problem is None


def test_after_damage_all_passes() -> None:
    good = message("event", "contentBlockStart", {"name": "pay__x"})
    for at in (2, 6, 10, 20, len(good) - 6, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        for size in (1, 7, 10_000):
            names = EventStreamNames(strip)
            stream = good + bytes(bad) + good
            out = b"".join(
                names.feed(stream[start : start + size]) for start in range(0, len(stream), size)
            )
            assert out + names.finish() == strip_one(good) + bytes(bad) + good
            assert names.problem


def strip_one(frame: bytes) -> bytes:
    return sent(frame, strip, [])


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_from_a_message_that_is_too_large_on_all_passes(monkeypatch, size: int) -> None:
    monkeypatch.setattr("llmproxy_core.providers.eventstream.LIMIT", 1000)
    small = message("event", "contentBlockStart", {"name": "pay__x"})
    large = message("event", "metadata", {"name": "pay__x" * 1000})
    names = EventStreamNames(strip)
    stream = small + large + small
    out = b"".join(names.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    assert out + names.finish() == strip_one(small) + large + small
    assert names.problem == "the beginning of a message is large"


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_raise_and_none_is_lost(data: bytes, size: int) -> None:
    for start in (b"", b"\x00", CONVERSE.stream[:200]):
        stream = start + data
        assert sent(stream, bytes, list(range(0, len(stream), size))) == stream


def test_the_event_within_a_chunk_is_changed() -> None:
    event = b'{"type":"content_block_start","content_block":{"name":"pay__x"}}'
    payload = b'{ "p":"abc", "bytes" : "%b" }' % b64encode(event)
    wanted = b'{ "p":"abc", "bytes" : "%b" }' % b64encode(strip(event))
    assert in_base64(strip)(payload) == wanted
    assert in_base64(bytes)(payload) == payload


def test_escapes_in_base64_are_read() -> None:
    event = b'{"name":"pay__\xff?"}'
    assert b"/" in b64encode(event)
    payload = b'{"bytes":"%b"}' % b64encode(event).replace(b"/", b"\\/")
    assert in_base64(strip)(payload) == b'{"bytes":"%b"}' % b64encode(strip(event))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"bytes":3}',
        b'{"bytes":"!"}',
        b'{"bytes":"cGF5X194"',
        b'{"x":{"bytes":"cGF5X194"}}',
        b'{"bytes":"cGF5X194","bytes":"AAAA"}',
        b'{"bytes":"\\ud800"}',
        b'{"text":"\\"bytes\\":\\"cGF5X194\\""}',
    ],
)
def test_other_payloads_stay_as_they_are(payload: bytes) -> None:
    assert in_base64(strip)(payload) == payload


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_payload_raises(payload: bytes) -> None:
    in_base64(strip)(payload)
    in_base64(strip)(b'{"bytes":"' + payload)
    in_base64(strip)(b'{"bytes":"' + payload + b'"}')


def test_a_long_payload_takes_linear_time() -> None:
    payload = b'{"bytes":"' + b"\\" * 200_000
    assert in_base64(strip)(payload) == payload
    payload = b'{"bytes"' * 30_000
    assert in_base64(strip)(payload) == payload


@pytest.mark.parametrize(
    ("stream", "wrapped"),
    [(CONVERSE.stream, lambda change: change), (INVOKE.stream, in_base64)],
    ids=["converse", "invoke"],
)
def test_there_and_back_is_the_same_at_any_cut(stream: bytes, wrapped) -> None:
    prefixed = sent(stream, wrapped(prefix), [])
    assert prefixed != stream
    for at in range(len(prefixed)):
        assert sent(prefixed, wrapped(strip), [at]) == stream


@needs_corpus
def test_recorded_streams_come_back_as_they_were() -> None:
    changed = 0
    for exchange in exchanges():
        if "eventstream" not in exchange["tags"]:
            continue
        stream = body(exchange, "response")
        wrapped = in_base64 if "invoke" in exchange["wire"] else lambda change: change
        prefixed = sent(stream, wrapped(prefix), list(range(0, len(stream), 61)))
        assert sent(prefixed, wrapped(strip), list(range(0, len(prefixed), 7))) == stream
        reader = MessageReader()
        events = [json.loads(one.payload) for one in reader.feed(prefixed)]
        assert events
        assert (reader.open, reader.problem) == (False, None)
        changed += prefixed != stream
    assert changed > 8
