"""AWS eventstreams in any cuts and of any damage."""

import json
from base64 import b64encode
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.model import ApiError, Response
from llmproxy_core.providers.eventstream import Message, MessageReader, encode_message
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.corpus import body, exchanges, needs_corpus
from tests.unit.providers.sample import Event, read
from tests.unit.providers.samples_bedrock import CONVERSE, EVENTSTREAM, INVOKE, chunks, message

METRICS = "amazon-bedrock-invocationMetrics"
texts = st.text(max_size=40)
messages = st.lists(st.tuples(st.dictionaries(texts, texts, max_size=4), st.binary(max_size=300)))


def converse(data: bytes, status: int = 200) -> Response:
    return read("bedrock.converse-stream", data, status, EVENTSTREAM, CONVERSE.path)


@given(messages, st.data())
def test_messages_are_read_in_any_cuts(told: list[tuple[dict[str, str], bytes]], data) -> None:
    stream = b"".join(encode_message(headers, payload) for headers, payload in told)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = MessageReader()
    found = [
        message
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for message in reader.feed(stream[start:end])
    ]
    assert [message.payload for message in found] == [payload for _, payload in told]
    assert (reader.open, reader.problem) == (False, None)


def test_headers_tell_what_a_message_is() -> None:
    headers = {":message-type": "error", ":error-code": "Busy", ":error-message": "later"}
    reader = MessageReader()
    assert reader.feed(encode_message(headers, b"")) == [Message("error", "Busy", b"", "later")]


def test_headers_of_other_types_are_skipped() -> None:
    values = {0: b"", 1: b"", 2: b"x", 3: b"xx", 4: b"xxxx", 5: b"x" * 8, 8: b"x" * 8, 9: b"x" * 16}
    told = b"".join(b"\x01n" + bytes([kind]) + value for kind, value in values.items())
    told += b"\x01b\x06\x00\x02hi" + b"\x0b:event-type\x07\x00\x05chunk"
    stream = _with_headers(told, b"{}")
    assert MessageReader().feed(stream) == [Message("event", "chunk", b"{}")]
    assert MessageReader().feed(_with_headers(b"\x01n\x63" + told, b"{}"))[0].name == ""


def _with_headers(told: bytes, payload: bytes) -> bytes:
    prelude = (16 + len(told) + len(payload)).to_bytes(4) + len(told).to_bytes(4)
    whole = prelude + crc32(prelude).to_bytes(4) + told + payload
    return whole + crc32(whole).to_bytes(4)


@needs_corpus
def test_every_recorded_stream_is_whole() -> None:
    streams = [body(e, "response") for e in exchanges() if "eventstream" in e["tags"]]
    assert len(streams) > 40
    for stream in streams:
        reader = MessageReader()
        assert reader.feed(stream)
        assert (reader.open, reader.problem) == (False, None)


def test_an_exception_is_an_error_with_its_name() -> None:
    begun = CONVERSE.encode(CONVERSE.events[:7], False)
    thrown = message("exception", "throttlingException", {"message": "Too many tokens"})
    response = converse(begun + thrown)
    assert response.error == ApiError("throttlingException", "Too many tokens")
    assert response.text == "Ich schaue nach: ü 😀"
    assert not response.incomplete


def test_an_exception_in_invoke_is_an_error() -> None:
    stream = chunks(INVOKE.events[:3]) + message("exception", "modelStreamErrorException", {})
    response = read(INVOKE.wire, stream, kind=EVENTSTREAM)
    assert response.error == ApiError("modelStreamErrorException", "{}")


def test_an_error_without_a_body_is_told_by_its_headers() -> None:
    headers = {":message-type": "error", ":error-code": "Busy", ":error-message": "later"}
    assert converse(encode_message(headers, b"")).error == ApiError("Busy", "later")


def test_a_damaged_message_is_left_out_and_told() -> None:
    stream = bytearray(CONVERSE.stream)
    stream[stream.index(b"nach")] ^= 1
    response = converse(bytes(stream))
    assert response.text == "Ich schaue "
    assert response.tool_calls[0].name == "weather"
    assert response.incomplete
    assert response.error is not None
    assert response.error.type == "unreadable"
    assert response.error.message.startswith("the checksum of a message is wrong (at byte ")


def test_after_a_damaged_beginning_nothing_more_is_read() -> None:
    whole = CONVERSE.encode(CONVERSE.events[:6], False)
    rest = bytearray(CONVERSE.encode(CONVERSE.events[6:], False))
    rest[2] ^= 1
    response = converse(whole + bytes(rest))
    assert response.text == "Ich schaue "
    assert response.incomplete
    assert response.error is not None
    assert response.error.message.startswith("the beginning of a message is damaged")
    assert str(len(whole)) in response.error.message


@given(st.integers(0, len(CONVERSE.stream) - 1), st.integers(1, 255))
def test_no_damaged_byte_goes_unnoticed(at: int, flip: int) -> None:
    stream = bytearray(CONVERSE.stream)
    stream[at] ^= flip
    response = converse(bytes(stream))
    assert response.error is not None
    assert response.text in ("", "Ich schaue ", "nach: ü 😀", "Ich schaue nach: ü 😀")


def test_a_stream_is_known_by_its_first_bytes() -> None:
    for kind in ("", "application/octet-stream", "application/json"):
        response = read("bedrock.converse-stream", CONVERSE.stream, kind=kind)
        assert response == converse(CONVERSE.stream)
    assert read("bedrock.converse-stream", b"\x00\x00\x00").incomplete is False
    assert read("bedrock.converse-stream", b"\x00" * 40).error is not None


def test_json_that_is_announced_as_a_stream_is_read() -> None:
    response = converse(b'{"message": "Denied"}', 403)
    assert response.error is not None
    assert response.error.message == "Denied"


def test_a_message_too_large_is_skipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmproxy_core.providers.eventstream.LIMIT", 1000)
    large = message("event", "metadata", {"p": "x" * 5000})
    for size in (1, 7, 100_000):
        reader = AnswerReader("bedrock.converse-stream", 200, [("content-type", EVENTSTREAM)])
        data = CONVERSE.encode(CONVERSE.events[:6], False) + large
        data += CONVERSE.encode(CONVERSE.events[6:], False)
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])
        response = reader.finish()
        assert response.unknown_events == {"too large": 1}
        assert response.text == "Ich schaue nach: ü 😀"
        assert not response.incomplete


def test_pieces_that_are_no_base64_are_counted() -> None:
    for bad in ({"bytes": "!"}, {"bytes": b64encode(b"[1]").decode()}, {"bytes": 3}):
        stream = message("event", "chunk", bad) + INVOKE.stream
        response = read(INVOKE.wire, stream, kind=EVENTSTREAM)
        assert sum(response.unknown_events.values()) == 1
        assert response.text == "Ich schaue nach: ü 😀"


def test_many_small_messages_take_linear_time() -> None:
    piece = message("event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x"}})
    response = converse(piece * 20_000)
    assert len(response.text) == 20_000


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    for start in (b"", b"\x00", CONVERSE.stream[:200]):
        MessageReader().feed(start + data)
        converse(start + data)


def test_metrics_count_where_the_model_does_not() -> None:
    told = {"inputTokenCount": 5, "outputTokenCount": 7}
    events: list[Event] = [
        {"outputs": [{"text": "Hi", "stop_reason": None}]},
        {"outputs": [{"text": "", "stop_reason": "stop"}], METRICS: told},
    ]
    response = read(INVOKE.wire, chunks(events), kind=EVENTSTREAM)
    assert (response.text, response.finish_reasons) == ("Hi", ["stop"])
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 7)
    assert response.usage.raw == told
    assert not response.incomplete


def test_headers_count_where_a_body_does_not() -> None:
    headers = [
        ("X-Amzn-Bedrock-Input-Token-Count", "5"),
        ("x-amzn-bedrock-output-token-count", "7"),
    ]
    reader = AnswerReader("bedrock.invoke", 200, headers)
    reader.feed(json.dumps({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}).encode())
    usage = reader.finish().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (5, 7)
