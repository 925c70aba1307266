"""What every fully read format must do: run over the register, a new format is picked up."""

import json
import random
import zlib
from dataclasses import replace
from typing import Any

import pytest

from llmproxy_core.model import Response
from llmproxy_core.providers.formats import FORMATS, read_body, read_request
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.catalogue import SAMPLES, SPEAKING, STREAMED
from tests.unit.providers.corpus import ROOT, joined
from tests.unit.providers.sample import Sample, read, sse

EVENTS = "text/event-stream"
UNREAD = "huggingface.tgi"
"""A wire that no format reads in full."""


def over(samples: list[Sample]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sample", samples, ids=[sample.wire for sample in samples])


each, spoken, streamed = over(SAMPLES), over(SPEAKING), over(STREAMED)
with_lines = over([sample for sample in STREAMED if sample.kind == EVENTS])
wires = pytest.mark.parametrize("wire", [*FORMATS, UNREAD])


def read_stream(sample: Sample) -> Response:
    return read(sample.wire, sample.stream, kind=sample.kind, path=sample.path)


def test_every_format_has_a_sample() -> None:
    assert {sample.wire for sample in SAMPLES} == set(FORMATS)


def test_every_format_is_documented() -> None:
    text = (ROOT / "docs" / "formats.md").read_text()
    assert [wire for wire in FORMATS if f"`{wire}`" not in text] == []


@streamed
def test_streams_are_understood(sample: Sample) -> None:
    response = read_stream(sample)
    assert response.n_events == len(sample.events)
    assert response.unknown_events == {}
    assert not response.incomplete
    assert response.error is None


@over([sample for sample in STREAMED if sample.whole])
def test_streamed_and_whole_answers_are_read_alike(sample: Sample) -> None:
    whole = read(sample.wire, sample.json, path=sample.path)
    assert _comparable(read_stream(sample)) == _comparable(whole)


@over([sample for sample in SPEAKING if sample.whole])
def test_whole_answers_are_read(sample: Sample) -> None:
    whole = read(sample.wire, sample.json, path=sample.path)
    assert whole.text == "Ich schaue nach: ü 😀"
    assert whole.reasoning == "Need the tool."
    assert whole.tool_calls[0].name == "weather"
    assert not whole.incomplete


def _comparable(response: Response) -> Response:
    """Without what must differ: the number of events, and spaces in arguments."""
    calls = [replace(call, arguments=json.loads(call.arguments)) for call in response.tool_calls]
    parts = [
        replace(part, text=json.loads(part.text)) if part.kind == "tool_call" else part
        for part in response.parts
    ]
    return replace(response, n_events=0, tool_calls=calls, parts=parts)


@over([sample for sample in SPEAKING if sample.events])
def test_the_deltas_spell_the_answer(sample: Sample) -> None:
    reader = AnswerReader(sample.wire, 200, [("content-type", sample.kind)], sample.path)
    texts = joined(reader.feed(sample.stream))
    response = reader.finish()
    assert texts[("text", 0)] == response.text
    assert texts[("reasoning", 0)] == response.reasoning
    assert texts[("tool_call", 0)].startswith("weather {")


@each
def test_cuts_change_nothing(sample: Sample) -> None:
    stream = sample.stream
    for body in (stream, sample.json, b"\xef\xbb\xbf" + sample.json, sample.json[:-9], stream[:-9]):
        expected = _fed(sample, [body])
        assert _fed(sample, [body[i : i + 1] for i in range(len(body))]) == expected
        for cut in range(0, len(body), 7):
            assert _fed(sample, [body[:cut], body[cut:]]) == expected


def _fed(sample: Sample, chunks: list[bytes]) -> tuple[Response, dict[tuple[str, int], str]]:
    reader = AnswerReader(sample.wire, 200, [("content-type", sample.kind)], sample.path)
    deltas = [delta for chunk in chunks for delta in reader.feed(chunk)]
    return reader.finish(), joined(deltas)


@over([sample for sample in SPEAKING if sample.events])
def test_a_stream_may_end_anywhere(sample: Sample) -> None:
    body = sample.stream
    assert sample.last in body
    for cut in range(0, body.rfind(sample.last), 11):
        response = read(sample.wire, body[:cut], kind=sample.kind, path=sample.path)
        assert response.incomplete
        assert "Ich schaue nach: ü 😀".startswith(response.text)


@with_lines
def test_line_ends_and_comments_of_a_stream_do_not_matter(sample: Sample) -> None:
    expected = read_stream(sample)
    for end in (b"\r\n", b"\r"):
        body = b": keep-alive\n\n" + sample.stream.replace(b"\n\n", b"\n\n: comment\n\n")
        assert read(sample.wire, body.replace(b"\n", end), path=sample.path) == expected


@streamed
def test_unknown_fields_and_events_of_streams_do_no_harm(sample: Sample) -> None:
    new = {"type": "response.brand_new", "brand_new": {"deep": [1, None]}}
    events = [new, *({**event, "brand_new": [{}]} for event in sample.events)]
    response = read_stream(replace(sample, events=events))
    assert sum(response.unknown_events.values()) == 1
    known = replace(response, unknown_events={}, n_events=response.n_events - 1)
    assert known == read_stream(sample)


@each
def test_unknown_fields_of_whole_answers_do_no_harm(sample: Sample) -> None:
    for body in (sample.whole, _grown(sample.whole)):
        changed = replace(sample, whole={**body, "brand_new": {"a": 1}})
        response = read(sample.wire, changed.json, path=sample.path)
        expected = read(sample.wire, sample.json, path=sample.path)
        assert _without_raw(response) == _without_raw(expected)


def _grown(value: Any) -> Any:
    """With an unknown field in every object, except where its fields are arguments or names."""
    if isinstance(value, dict):
        kept = {key: item if key in FREE else _grown(item) for key, item in value.items()}
        return {**kept, "brand_new": {"a": [1]}}
    return [_grown(item) for item in value] if isinstance(value, list) else value


FREE = ("input", "args", "arguments", "action")


def _without_raw(response: Response) -> Response:
    """The usage object is kept verbatim, with what is unknown in it."""
    usage = response.usage and replace(response.usage, raw=None)
    return replace(response, usage=usage)


@spoken
def test_requests_are_read(sample: Sample) -> None:
    request, problem = read_request(sample.wire, sample.path, [], sample.asked)
    assert problem is None
    assert request.stream
    assert request.model in ("gpt-x", "claude-x")
    assert [tool.name for tool in request.tools if not tool.hosted] == ["weather"]
    assert request.messages[-1].role == "user"
    assert request.messages[-1].parts[0].text.startswith("Weather in Oslo?")
    system = request.system or request.messages[0].parts
    assert system[0].text == "Be brief."


@wires
def test_any_shape_of_json_is_survived(wire: str) -> None:
    """Fields of the samples, with values of other types in their places."""
    dice = random.Random(7)
    for sample in SAMPLES:
        for document in (sample.request, sample.whole, *sample.events):
            for _ in range(4):
                damaged = _damaged(document, dice)
                body = json.dumps(damaged, default=str).encode()
                read_request(wire, sample.path, [], body)
                read(wire, body, path=sample.path)
                read(wire, b"data: " + body + b"\n\n", kind=EVENTS, path=sample.path)
                if isinstance(damaged, dict):
                    read(wire, sample.encode([damaged], False), kind=sample.kind, path=sample.path)


def _damaged(value: Any, dice: random.Random) -> Any:
    if dice.random() < 0.12:
        return dice.choice([None, True, -1, 1.5, 10**30, "x", [], {}, [None, 1, "y"], {"type": 3}])
    if isinstance(value, dict):
        return {key: _damaged(item, dice) for key, item in value.items()}
    if isinstance(value, list):
        return [_damaged(item, dice) for item in value]
    return value


HOSTILE = [
    b"",
    b"\x00" * 100,
    b"not json at all",
    b'{"choices": [{"message": {"content": "cut of',
    b'{"content": "\xff\xfe"}',
    b"[" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'data: {"choices":[{"delta":{"content":"a\n\ndata: \xff\n\nevent: error\ndata: broken\n\n',
    b"data: [1, 2]\n\ndata: null\n\ndata\n\n: \n\nevent: x\n\n",
    b'{"x":"\\ud800\\u0000","y":NaN,"y":1}',
    b"\xef\xbb\xbf",
    b"\x1f\x8b\x08damaged",
    b"<html><head><title>502 Bad Gateway</title></head></html>",
    zlib.compress(b"{}"),
]


@wires
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_bytes_are_survived(wire: str, body: bytes) -> None:
    for coding in ("", "gzip", "deflate", "br", "zstd", "gzip, br", "rot13"):
        headers = [("content-encoding", coding)]
        read_request(wire, "/v1/x", headers, body)
        for status in (0, 200, 500):
            reader = AnswerReader(wire, status, headers)
            for at in range(0, len(body), 97):
                reader.feed(body[at : at + 97])
            assert status < 400 or reader.finish().error is not None


@wires
@pytest.mark.parametrize("start", [b"", b"data: ", b"[{", b'{"content": "'])
def test_ten_megabytes_of_one_line_take_linear_time(wire: str, start: bytes) -> None:
    reader = AnswerReader(wire, 200, [])
    reader.feed(start)
    for _ in range(640):
        reader.feed(b"x" * 16384)
    assert reader.finish().n_events == 0


def test_a_request_that_is_not_json_is_named_as_such() -> None:
    for body in (b"not json", b"[1]", b"", b'{"model": "m'):
        request, problem = read_request("openai.chat", "/v1/chat/completions", [], body)
        assert request.messages == []
        assert problem


def test_a_request_with_invalid_utf8_is_read_and_told() -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "a\xffb"}]}'
    request, problem = read_request("openai.chat", "/", [], body)
    assert request.messages[0].parts[0].text == "a\ufffdb"
    assert problem == "not UTF-8: byte 58"


def test_a_compressed_request_is_read() -> None:
    body = zlib.compress(b'{"model": "m", "input": "hi"}')
    request, problem = read_request(
        "openai.responses", "/", [("Content-Encoding", "deflate")], body
    )
    assert (request.model, problem) == ("m", None)


def test_formats_that_are_not_read_in_full_have_no_problem() -> None:
    request, problem = read_request(UNREAD, "/model/a.b-v1%3A0/converse", [], b"\x00")
    assert (request.model, problem) == ("a.b-v1:0", None)


def test_many_calls_and_choices_take_linear_time() -> None:
    calls = [{"id": f"c{n}", "function": {"name": "f", "arguments": "{}"}} for n in range(20_000)]
    same = [{"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]} for call in calls]
    assert len(read("openai.chat", sse(same)).tool_calls) == 20_000
    turns = [{"reasoning": "a"}, {"content": "b"}] * 20_000
    mixed = [{"choices": [{"index": 0, "delta": delta}]} for delta in turns]
    assert len(read("openai.chat", sse(mixed)).parts) == 40_000
    ends = [{"choices": [{"index": n, "finish_reason": "stop"}]} for n in range(20_000)]
    assert len(read("openai.chat", sse(ends)).finish_reasons) == 20_000
    parts = [{"functionCall": {"name": "f"}}] * 20_000
    body = json.dumps({"candidates": [{"content": {"parts": parts}}]}).encode()
    assert len(read("gemini", body).tool_calls) == 20_000


def test_the_body_of_a_request_is_the_object_that_it_is_read_from():
    frame = {"from": "client", "type": "text", "at": 0, "data": '{"type": "response.create"}'}
    framed, problem = read_body("openai.realtime", [], json.dumps(frame).encode())
    assert framed == {"frames": [{**frame, "data": {"type": "response.create"}}]}
    assert problem is None
    assert read_body("openai.chat", [], b'{"a": 1}') == ({"a": 1}, None)
    assert read_body("openai.chat", [], b"[1]") == ({}, "not a JSON object")
