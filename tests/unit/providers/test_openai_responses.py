import json
from typing import Any

from llmproxy_core.model import Message, Part, Request
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples import RESPONSES

WIRE = "openai.responses"


def request(**body: Any) -> Request:
    return read_request(WIRE, "/v1/responses", [], json.dumps(body).encode())[0]


def entries(*entries: dict[str, Any]) -> list[Message]:
    return request(input=list(entries)).messages


def whole(*output: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"id": "r", "status": "completed", "output": output, **more}).encode()


def test_a_string_is_one_message_of_the_user() -> None:
    assert request(input="hi").messages == [Message("user", [Part("text", "hi")])]


def test_instructions_are_the_system() -> None:
    assert request(instructions="a").system == [Part("text", "a")]
    listed = [{"role": "developer", "content": "a"}]
    assert request(instructions=listed).system == [Part("text", "a")]
    assert request(instructions="").system == []


def test_calls_results_and_reasoning_are_messages() -> None:
    output = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert entries(
        {"role": "developer", "content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "raw"},
        {"type": "function_call_output", "call_id": "c1", "output": output},
        {"type": "function_call_output", "call_id": "c1", "output": "done"},
        {"type": "reasoning", "id": "rs", "summary": [{"text": "a"}, {"text": "b"}]},
        {"type": "web_search_call", "id": "ws", "action": {"query": "q"}},
        {"type": "code_interpreter_call", "id": "ci", "code": "1+1"},
        {"type": "item_reference", "id": "x"},
    ) == [
        Message("system", [Part("text", "x")]),
        Message("assistant", [Part("refusal", "No")]),
        Message("assistant", [Part("tool_call", "{}", "f", "c1")]),
        Message("assistant", [Part("tool_call", "raw", "g", "c2")]),
        Message("tool", [Part("tool_result", "a\nb", None, "c1")]),
        Message("tool", [Part("tool_result", "done", None, "c1")]),
        Message("assistant", [Part("reasoning", "a\n\nb", id="rs")]),
        Message("assistant", [Part("tool_call", '{"query":"q"}', "web_search_call", "ws")]),
        Message("assistant", [Part("tool_call", "1+1", "code_interpreter_call", "ci")]),
        Message("assistant", [Part("other", "item_reference", id="x")]),
    ]


def test_what_is_not_text_is_described() -> None:
    content = [
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_file", "filename": "a.pdf", "file_id": "f1"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "hologram"},
    ]
    assert entries({"role": "user", "content": content})[0].parts == [
        Part("image", "https://example.com/a.png"),
        Part("document", "f1", "a.pdf"),
        Part("audio", "mp3, 3 bytes"),
        Part("other", "hologram"),
    ]


def test_codex_nests_its_tools_in_the_input() -> None:
    shell = {"type": "function", "name": "shell", "description": "Runs it"}
    space = {"type": "namespace", "name": "mcp", "tools": [{"type": "function", "name": "get"}]}
    nested = {"type": "additional_tools", "role": "developer", "tools": [shell, space, shell]}
    read = request(input=[nested], tools=[{"type": "web_search"}], prompt_cache_key="thread")
    assert [(tool.name, tool.hosted) for tool in read.tools] == [
        ("web_search", True),
        ("shell", False),
        ("mcp.get", False),
    ]
    assert read.messages[0].role == "system"
    assert read.session_hints == {"prompt_cache_key": "thread"}


def test_the_reason_of_an_incomplete_answer_is_told() -> None:
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    response = read(WIRE, whole(**{"status": "incomplete", **details}))
    assert response.finish_reasons == ["max_output_tokens"]


def test_a_failed_answer_has_an_error() -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow down"}
    response = read(WIRE, whole(status="failed", error=error))
    assert response.error is not None
    assert (response.error.type, response.error.message) == ("rate_limit_exceeded", "slow down")
    assert read(WIRE, whole(status="failed")).error is not None
    event: dict[str, Any] = {
        "type": "response.failed",
        "response": {"status": "failed", "error": error},
    }
    assert read(WIRE, sse([event])).error == response.error
    event = {"type": "error", "code": "x", "message": "broke"}
    failed = read(WIRE, sse([event]))
    assert failed.error is not None
    assert failed.error.message == "broke"
    assert not failed.incomplete


def test_a_last_event_without_output_keeps_what_was_streamed() -> None:
    last: dict[str, Any] = {
        "type": "response.completed",
        "response": {"id": "resp_1", "status": "completed"},
    }
    events: list[dict[str, Any]] = [*RESPONSES.events[:-1], last]
    response = read(WIRE, sse(events))
    expected = read(WIRE, RESPONSES.sse)
    assert (response.texts, response.tool_calls) == (expected.texts, expected.tool_calls)
    assert (response.reasoning, response.parts) == (expected.reasoning, expected.parts)


def test_refusals_and_custom_tools_are_streamed() -> None:
    events: list[dict[str, Any]] = [
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "No."},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {"type": "custom_tool_call", "call_id": "c", "name": "g"},
        },
        {"type": "response.custom_tool_call_input.delta", "output_index": 1, "delta": "raw"},
        {"type": "response.completed", "response": {"status": "completed"}},
    ]
    response = read(WIRE, sse(events))
    assert response.refusal == "No."
    assert response.tool_calls[0].arguments == "raw"
    content = [{"type": "refusal", "refusal": "No."}]
    assert read(WIRE, whole({"type": "message", "content": content})).refusal == "No."


def test_unknown_output_is_shown_as_such() -> None:
    outputs = [{"type": "mcp_call", "name": "f", "arguments": "{}"}, {"type": "mystery", "id": "m"}]
    response = read(WIRE, whole(*outputs))
    assert response.server_tool_calls == ["mcp_call"]
    assert [part.kind for part in response.parts] == ["tool_call", "other"]


def test_a_body_of_another_kind_is_no_answer() -> None:
    assert read(WIRE, b'{"object": "list"}').texts == []
