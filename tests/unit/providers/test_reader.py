import gzip
import time

import pytest

from llmproxy_core.model import ApiError
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.sample import read
from tests.unit.providers.samples import CHAT, GEMINI

EVENTS, JSON = "text/event-stream; charset=utf-8", "application/json"


@pytest.mark.parametrize("kind", [EVENTS, JSON, "text/plain", ""])
def test_the_first_bytes_tell_what_a_body_is(kind: str) -> None:
    assert read(CHAT.wire, CHAT.json, kind=kind) == read(CHAT.wire, CHAT.json)
    assert read(CHAT.wire, CHAT.sse, kind=kind) == read(CHAT.wire, CHAT.sse)
    assert (
        read(CHAT.wire, b"\xef\xbb\xbf \n" + CHAT.sse, kind=kind).text
        == read(CHAT.wire, CHAT.sse).text
    )


def test_a_stream_says_text_before_it_ends() -> None:
    reader = AnswerReader(CHAT.wire, 200, [("content-type", EVENTS)])
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n'
    assert [delta.text for delta in reader.feed(event)] == ["Hi"]


def test_an_empty_body_is_incomplete_only_where_a_stream_was_announced() -> None:
    assert not read(CHAT.wire, b"", kind=JSON).incomplete
    assert read(CHAT.wire, b"", kind=EVENTS).incomplete
    assert read(CHAT.wire, b"\n\n", kind=EVENTS).incomplete
    assert read(CHAT.wire, b"").error is None


def test_json_that_ends_early_is_incomplete_and_says_so() -> None:
    response = read(CHAT.wire, CHAT.json[:-5], kind=JSON)
    assert response.incomplete
    assert response.error is not None
    assert response.error.type == "unreadable"
    assert response.error.message.startswith("not JSON")


def test_a_stream_cut_within_its_first_word_is_incomplete() -> None:
    for cut in range(1, 12):
        response = read(CHAT.wire, CHAT.sse[:cut])
        assert (response.incomplete, response.error) == (True, None)


def test_a_page_in_place_of_an_answer_is_an_error() -> None:
    page = b"<html><head><title>Sign in</title></head></html>"
    assert read(CHAT.wire, page).error == ApiError("unreadable", "Sign in")


def test_a_compressed_stream_that_breaks_off_keeps_what_came() -> None:
    body = gzip.compress(CHAT.sse)
    reader = AnswerReader(CHAT.wire, 200, [("content-encoding", "gzip")])
    reader.feed(body[:-12])
    response = reader.finish()
    assert response.text == read(CHAT.wire, CHAT.sse).text
    reader = AnswerReader(GEMINI.wire, 200, [("content-encoding", "gzip")])
    reader.feed(gzip.compress(GEMINI.json)[:-12])
    response = reader.finish()
    assert response.error is None or response.error.type == "unreadable"
    assert response.incomplete or response.text


def test_a_coding_nobody_knows_is_an_error() -> None:
    reader = AnswerReader(CHAT.wire, 200, [("content-encoding", "rot13")])
    reader.feed(b"qngn: k")
    assert reader.finish().error == ApiError("unreadable", "qngn: k")


def test_events_that_are_no_objects_are_counted() -> None:
    body = b"data: [1]\n\ndata: nothing\n\ndata: null\n\n"
    response = read(CHAT.wire, body)
    assert response.unknown_events == {"not a JSON object": 2, "not JSON": 1}
    assert response.n_events == 0


def test_an_error_event_in_plain_words_is_an_error() -> None:
    response = read(CHAT.wire, b"event: error\ndata: overloaded\n\n")
    assert response.error == ApiError("error", "overloaded")


def test_a_failing_status_is_an_error_whatever_the_stream_says() -> None:
    response = read(CHAT.wire, b": nothing\n\n", 503)
    assert response.error == ApiError(None, "HTTP 503 without a body")


def test_an_event_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmproxy_core.providers.sse.LIMIT", 1000)
    body = b"data: " + b"x" * 2000 + b"\n\n" + CHAT.sse
    response = read(CHAT.wire, body)
    assert response.unknown_events == {"too large": 1}
    assert response.text == read(CHAT.wire, CHAT.sse).text


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_blanks_that_keep_a_line_up_cost_no_more_than_their_length(start: bytes) -> None:
    reader = AnswerReader(CHAT.wire, 200, [("content-type", JSON)])
    reader.feed(start)
    began = time.process_time()
    for _ in range(512):
        reader.feed(b" \r\n\n" * 2**12)
    took = time.process_time() - began
    reader.feed(CHAT.json)
    assert took < 1
    assert reader.finish() == read(CHAT.wire, CHAT.json)


def test_json_too_large_to_be_held_as_objects_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmproxy_core.providers.parsing.LONGEST", 100)
    response = read(CHAT.wire, b'{"choices": [' + b"[]," * 100 + b"[]]}")
    assert response.error == ApiError("unreadable", "too large to be read: 317 bytes")
    assert response.incomplete
