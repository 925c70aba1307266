import json
from typing import Any

from llmproxy_core.model import Message, Part, Request, Tool
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import ndjson, read, sse
from tests.unit.providers.samples_lines import COHERE_CHAT, COHERE_V1

WIRE = "cohere.chat"
LINES = "application/stream+json"


def request(**body: Any) -> Request:
    return read_request(WIRE, "/v1/chat", [], json.dumps(body).encode())[0]


def test_the_first_version_has_a_history_and_a_message() -> None:
    call = {"name": "f", "parameters": {"a": 1}}
    results = [{"call": call, "outputs": [{"b": 2}]}]
    history = [
        {"role": "System", "message": "Be brief."},
        {"role": "CHATBOT", "message": "Hm.", "tool_calls": [call]},
        {"role": "TOOL", "tool_results": results},
    ]
    assert request(chat_history=history, message="Go", tool_results=results).messages == [
        Message("system", [Part("text", "Be brief.")]),
        Message("assistant", [Part("text", "Hm."), Part("tool_call", '{"a":1}', "f")]),
        Message("tool", [Part("tool_result", '[{"b":2}]', "f")]),
        Message("user", [Part("text", "Go")]),
        Message("tool", [Part("tool_result", '[{"b":2}]', "f")]),
    ]
    tools = [{"name": "f", "description": "Does it", "parameter_definitions": {}}]
    assert request(tools=tools).tools == [Tool("f", "Does it")]


def test_the_second_version_has_messages() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    document = {"type": "document", "document": {"id": "d", "data": "rain"}}
    messages = [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}]},
        {"role": "assistant", "tool_plan": "Ask.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [document]},
    ]
    assert request(messages=messages).messages == [
        Message("assistant", [Part("reasoning", "Hm.")]),
        Message("assistant", [Part("reasoning", "Ask."), Part("tool_call", "{}", "f", "c")]),
        Message("tool", [Part("tool_result", "rain", None, "c")]),
    ]


def test_thoughts_are_reasoning() -> None:
    whole = {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes"}]}
    body = {"id": "c", "message": whole, "finish_reason": "COMPLETE"}
    response = read(WIRE, json.dumps(body).encode())
    assert (response.reasoning, response.text) == ("Hm.", "Yes")


def test_tokens_are_those_that_were_read_not_those_that_are_billed() -> None:
    usage = read(WIRE, COHERE_CHAT.sse).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (69, 12, 8)
    assert usage.raw["billed_units"] == {"input_tokens": 7, "output_tokens": 9}  # type: ignore[call-overload, index]


def test_calls_of_the_first_version_are_streamed_or_told_at_the_end() -> None:
    calls = [{"name": "f", "parameters": {"a": 1}}, {"name": "g", "parameters": {}}]
    last = {
        "event_type": "stream-end",
        "finish_reason": "COMPLETE",
        "response": {"response_id": "r", "text": "", "tool_calls": calls},
    }
    pieces = [
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "name": "f"}},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "parameters": '{"a"'}},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "parameters": ":1}"}},
    ]
    whole = read(WIRE, ndjson([*pieces, last]), kind=LINES)
    assert [(call.name, call.arguments) for call in whole.tool_calls] == [
        ("f", '{"a":1}'),
        ("g", "{}"),
    ]
    torn = read(WIRE, ndjson(pieces), kind=LINES)
    assert [(call.name, call.arguments) for call in torn.tool_calls] == [("f", '{"a":1}')]
    assert torn.incomplete


def test_sources_are_shown_after_the_answer() -> None:
    citation = {"sources": [{"id": "d1", "document": {"title": "Yr", "url": "https://yr.example"}}]}
    event = {"type": "citation-start", "delta": {"message": {"citations": citation}}}
    response = read(WIRE, sse([*COHERE_CHAT.events, event], done=True))
    assert response.parts[-1] == Part("other", "sources:\nYr https://yr.example")
    first = {**COHERE_V1.whole, "citations": [{"document_ids": ["doc_0"]}]}
    assert read(WIRE, json.dumps(first).encode()).parts[-1].text == "sources:\ndoc_0"
