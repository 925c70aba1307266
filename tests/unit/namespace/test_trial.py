"""What `llmproxy ns test` tells of a call, without a proxy."""

import gzip
import json
from typing import Any

import pytest

from llmproxy_core.namespace import trial as module
from llmproxy_core.namespace.request import Call
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.namespace.trial import trial

PAY = Namespace("payments", "pay__")
LONG = "a_tool_with_a_name_that_is_longer_than_any_provider_would_take"
MAX = 2**20


def body(*names: str) -> bytes:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return json.dumps({"messages": [{"role": "user", "content": "Why?"}], "tools": tools}).encode()


def answer(*names: str) -> bytes:
    events = b""
    for number, name in enumerate(names):
        call = {"index": number, "id": f"c{number}", "function": {"name": name, "arguments": "{}"}}
        delta = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        events += b"data: " + json.dumps(delta).encode() + b"\n\n"
    return events + b"data: [DONE]\n\n"


def call(asked: bytes, **headers: str) -> Call:
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Call("openai", "openai.chat", "/v1/chat/completions", told, asked)


def test_each_name_is_told_with_the_one_that_is_sent():
    done = trial(call(body("search", LONG)), PAY, MAX)
    (name, sent), (long, short) = done.names
    assert (name, sent, long) == ("search", "pay__search", LONG)
    assert short.startswith("pay__a_tool")
    assert len(short) == 64
    assert (done.lost, done.answered) == ([], None)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_answer_comes_back_however_it_is_packed(coding):
    told, asked = answer("search", LONG), body("search", LONG)
    if coding == "gzip":
        told, asked = gzip.compress(told), gzip.compress(asked)
    headers = [("content-type", "text/event-stream"), ("content-encoding", coding)]
    done = trial(call(asked, content_encoding=coding), PAY, MAX, (headers, told))
    assert done.lost == []
    assert done.answered == len(answer("search", LONG))


def test_texts_are_tried_where_they_have_the_prefix_too():
    talks = Namespace("payments", "pay__", plain_text=True)
    asked = body("look_up").replace(b"Why?", b"Why not look_up?")
    done = trial(call(asked), talks, MAX)
    assert (done.lost, b"not pay__look_up" in done.sent.body) == ([], True)
    done = trial(call(asked.replace(b"not", b"pay__look_up,")), talks, MAX)
    assert (done.lost, b"pay__look_up, look_up" in done.sent.body) == ([], True)


def test_an_answer_may_have_calls_without_a_name():
    headers = [("content-type", "text/event-stream")]
    assert trial(call(body("search")), PAY, MAX, (headers, answer("", "search"))).lost == []


def test_a_call_that_is_left_alone_has_no_names():
    done = trial(call(body("two words")), PAY, MAX)
    assert (done.sent.left_alone, done.names, done.lost) == ("strange_name", [], [])
    assert trial(call(body("search")), PAY, 10).sent.left_alone == "too_large"
    assert trial(call(body("search")), Namespace("plain"), MAX).sent.prefix == ""


def lines(side: str, *said: Any) -> bytes:
    """Frames as they are stored."""
    told = [{"from": side, "type": "text", "at": 1, "data": json.dumps(one)} for one in said]
    return b"\n".join(json.dumps(one).encode() for one in told)


def test_a_turn_of_a_websocket_is_tried_frame_by_frame():
    tools = [{"type": "function", "name": "search"}]
    asked = lines("client", {"type": "response.create", "model": "gpt-5", "tools": tools})
    item = {"type": "function_call", "name": "search", "call_id": "c", "arguments": "{}"}
    told = {"type": "response.output_item.done", "item": item}
    turn = Call("openai", "openai.responses.websocket", "/v1/responses", [], asked)
    done = trial(turn, PAY, MAX, ([], lines("server", told)))
    assert (done.names, done.lost) == ([("search", "pay__search")], [])
    assert done.answered == len(json.dumps(told))
    assert trial(turn, Namespace("plain"), MAX).sent.prefix == ""
    silent = Call("openai", "openai.realtime", "/", [], lines("client", {"type": "session.update"}))
    assert trial(silent, PAY, MAX).sent.naming is None


def test_what_does_not_come_back_is_told(monkeypatch):
    monkeypatch.setattr(module, "strip_request", lambda wire, body, naming: body)
    monkeypatch.setattr(module, "restoring", _Deaf)
    done = trial(call(body("search")), PAY, MAX, ([], answer("search")))
    assert done.lost == ["the request", "the answer"]


class _Deaf:
    """Loses what it is given."""

    def __init__(self, *_: object) -> None: ...

    def feed(self, chunk: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""
