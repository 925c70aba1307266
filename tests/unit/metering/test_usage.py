"""What an answer took is read from a few of its events, and is what reading all of it tells."""

import gzip
import json

import pytest

from llmproxy_core.metering.usage import Answered, taken
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.corpus import (
    body,
    exchanges,
    headers,
    needs_corpus,
    path_of,
    wire_of,
)

SSE = [("Content-Type", "text/event-stream")]


def events(*values, last=b"data: [DONE]\n\n"):
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + last


def chat(*values, told=SSE, last=b"data: [DONE]\n\n"):
    return taken(
        Answered("openai.chat", "/v1/chat/completions", 200, told, [events(*values, last=last)])
    )


def said(text, usage=None):
    return {"choices": [{"index": 0, "delta": {"content": text}}], "usage": usage}


USAGE = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}


def test_usage_is_found_at_the_end_of_a_stream():
    found = chat(*[said("word ")] * 500, {"choices": [], "model": "gpt-5", "usage": USAGE})
    assert found.usage is not None
    assert (found.usage.input_tokens, found.usage.output_tokens) == (7, 11)
    assert (found.model, found.whole) == ("gpt-5", True)


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
def test_usage_is_found_at_the_end_of_a_last_event_of_any_size(line):
    """`response.completed` repeats the whole answer."""
    item = {"type": "message", "content": [{"type": "output_text", "text": "word " * 40_000}]}
    usage = {"input_tokens": 7, "output_tokens": 11}
    delta = {"type": "response.output_text.delta", "delta": "word "}
    end = {"type": "response.completed", "response": {"output": [item], "usage": usage}}
    body = events(*[delta] * 200, end, last=b"").replace(b"\n", line)
    found = taken(Answered("openai.responses", "/v1/responses", 200, SSE, [body]))
    assert found.usage is not None
    assert found.usage.output_tokens == 11
    assert found.whole


def test_usage_of_the_first_event_is_added_to_that_of_the_last():
    first = {"input_tokens": 3, "cache_read_input_tokens": 40, "output_tokens": 1}
    start = {"type": "message_start", "message": {"model": "claude-opus-4-8", "usage": first}}
    delta = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x"},
    }
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 9},
    }
    body = events(start, *[delta] * 900, end, {"type": "message_stop"}, last=b"")
    found = taken(Answered("anthropic.messages", "/v1/messages", 200, SSE, [body]))
    assert found.usage is not None
    assert (found.usage.input_tokens, found.usage.output_tokens) == (43, 9)
    assert found.model == "claude-opus-4-8"


def test_the_last_usage_counts_where_each_event_has_one():
    grows = [said("x", {**USAGE, "completion_tokens": n}) for n in range(1, 40)]
    found = chat(*grows)
    assert found.usage is not None
    assert found.usage.output_tokens == 39


def test_what_a_stream_without_usage_wrote_is_estimated():
    found = chat(*[said("four words are here ")] * 100)
    assert found.usage is None
    assert 300 < found.written < 800
    assert found.whole


def test_a_stream_that_was_cut_is_not_whole():
    assert not chat(*[said("word ")] * 100, last=b"").whole


def test_usage_is_found_in_compressed_bytes_in_any_pieces():
    packed = gzip.compress(events(*[said("word ")] * 50, {"choices": [], "usage": USAGE}))
    told = [*SSE, ("content-encoding", "gzip")]
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    found = taken(Answered("openai.chat", "/v1/chat/completions", 200, told, pieces))
    assert found.usage is not None
    assert found.usage.output_tokens == 11


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"data: {", b'{"usage": 3}', b"[" * 5000])
def test_nonsense_tells_nothing(content):
    for told in (SSE, [], [("content-encoding", "br")]):
        assert taken(Answered("openai.chat", "/", 200, told, [content])).usage is None


@needs_corpus
def test_of_recorded_answers_it_is_what_reading_all_of_them_tells():
    compared = 0
    for exchange in exchanges():
        wire, told, whole = (
            wire_of(exchange),
            headers(exchange, "response"),
            body(exchange, "response"),
        )
        found = taken(Answered(wire, path_of(exchange), exchange["status"], told, [whole]))
        reader = AnswerReader(wire, exchange["status"], told, path_of(exchange))
        reader.feed(whole)
        usage = reader.finish().usage
        if found.usage is not None:
            compared += 1
            assert usage is not None
            assert found.usage.input_tokens == usage.input_tokens, exchange["id"]
            assert found.usage.output_tokens == usage.output_tokens, exchange["id"]
            assert found.usage.cached_tokens == usage.cached_tokens, exchange["id"]
        else:
            assert usage is None or usage.input_tokens is usage.output_tokens is None, exchange[
                "id"
            ]
    assert compared > 1000
