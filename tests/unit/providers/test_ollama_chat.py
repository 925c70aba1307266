import json
from typing import Any

from llmproxy_core.model import ApiError, Message, Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import ndjson, read
from tests.unit.providers.samples_lines import OLLAMA_CHAT

WIRE, KIND = OLLAMA_CHAT.wire, OLLAMA_CHAT.kind


def messages(*sent: dict[str, Any]) -> list[Message]:
    return read_request(WIRE, "/api/chat", [], json.dumps({"messages": sent}).encode())[0].messages


def test_an_answer_streams_unless_it_is_told_not_to() -> None:
    for body, stream in ({}, True), ({"stream": True}, True), ({"stream": False}, False):
        assert read_request(WIRE, "/api/chat", [], json.dumps(body).encode())[0].stream is stream


def test_messages_are_read() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    assert messages(
        {"role": "user", "content": "Look", "images": ["AAAA"]},
        {"role": "assistant", "thinking": "Hm.", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_name": "f", "content": "rain"},
    ) == [
        Message("user", [Part("text", "Look"), Part("image", "3 bytes")]),
        Message("assistant", [Part("reasoning", "Hm."), Part("tool_call", '{"a":1}', "f")]),
        Message("tool", [Part("tool_result", "rain", "f")]),
    ]


def test_an_error_within_a_stream_ends_it() -> None:
    response = read(WIRE, ndjson([OLLAMA_CHAT.events[2], {"error": "out of memory"}]), kind=KIND)
    assert response.error == ApiError(None, "out of memory")
    assert (response.text, response.incomplete) == ("Ich schaue ", False)


def test_several_calls_are_several() -> None:
    calls = [{"function": {"name": name, "arguments": {}}} for name in "fg"]
    body = {"message": {"content": "", "tool_calls": calls}, "done": True, "done_reason": "stop"}
    response = read(WIRE, json.dumps(body).encode())
    assert [(call.name, call.arguments) for call in response.tool_calls] == [
        ("f", "{}"),
        ("g", "{}"),
    ]


def test_counters_and_durations_are_kept_verbatim() -> None:
    usage = read(WIRE, OLLAMA_CHAT.stream, kind=KIND).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (16, 22)
    assert usage.raw == {"total_duration": 171946792, "prompt_eval_count": 16, "eval_count": 22}
