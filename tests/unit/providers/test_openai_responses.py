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


def test_hosted_tools_show_what_was_asked_and_what_came_of_it() -> None:
    outputs: list[dict[str, Any]] = [
        {
            "type": "mcp_call",
            "id": "m",
            "name": "f",
            "server_label": "wiki",
            "arguments": "{}",
            "output": "done",
            "error": None,
        },
        {"type": "mcp_call", "id": "n", "name": "f", "error": {"type": "x", "message": "broke"}},
        {
            "type": "code_interpreter_call",
            "id": "c",
            "code": "1+1",
            "outputs": [{"type": "logs", "logs": "2"}],
        },
        {"type": "image_generation_call", "id": "i", "result": "AAAA"},
    ]
    response = read(WIRE, whole(*outputs))
    assert response.tool_calls == []
    assert response.parts == [
        Part("tool_call", "{}", "f", "m"),
        Part("tool_result", "done", "f", "m"),
        Part("tool_call", "", "f", "n"),
        Part("tool_result", "error: broke", "f", "n"),
        Part("tool_call", "1+1", "code_interpreter_call", "c"),
        Part("tool_result", "2", "code_interpreter_call", "c"),
        Part("tool_call", "", "image_generation_call", "i"),
        Part("image", "3 bytes", id="i"),
    ]


def test_servers_of_tools_and_their_approvals_are_told() -> None:
    tools = [{"name": "a"}, {"name": "b"}]
    read_entries = entries(
        {"type": "mcp_list_tools", "id": "l", "server_label": "wiki", "tools": tools},
        {"type": "mcp_approval_request", "id": "r", "name": "a", "arguments": '{"x":1}'},
        {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True},
    )
    assert [(m.role, m.parts[0].text) for m in read_entries] == [
        ("assistant", "tools of wiki: a, b"),
        ("assistant", 'may this be run? a {"x":1}'),
        ("user", "approved"),
    ]


def test_computers_shells_and_patches_are_shown() -> None:
    picture = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
    shell = [{"stdout": "a", "stderr": "b", "outcome": {"type": "exit", "exit_code": 0}}]
    patch = {"type": "update_file", "path": "a.py", "diff": "@@"}
    parts = [
        message.parts[0]
        for message in entries(
            {"type": "computer_call", "call_id": "c", "action": {"type": "screenshot"}},
            {"type": "computer_call_output", "call_id": "c", "output": picture},
            {"type": "shell_call", "call_id": "s", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "s", "output": shell},
            {"type": "apply_patch_call", "call_id": "p", "operation": patch},
            {"type": "apply_patch_call_output", "call_id": "p", "output": "ok"},
        )
    ]
    assert [(part.kind, part.text) for part in parts] == [
        ("tool_call", '{"type":"screenshot"}'),
        ("tool_result", "image/png, 19 bytes"),
        ("tool_call", '{"commands":["ls"]}'),
        ("tool_result", "a\nb"),
        ("tool_call", '{"type":"update_file","path":"a.py","diff":"@@"}'),
        ("tool_result", "ok"),
    ]


def test_what_is_encrypted_is_told_by_its_length() -> None:
    assert [
        message.parts[0].text
        for message in entries(
            {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "abcd"},
            {"type": "compaction", "id": "c", "encrypted_content": "abcdef"},
        )
    ] == ["reasoning, encrypted, 4 characters", "compaction, encrypted, 6 characters"]


def test_sources_are_shown_after_the_answer() -> None:
    notes = [
        {"type": "url_citation", "title": "A", "url": "https://a.example"},
        {"type": "file_citation", "filename": "b.pdf", "file_id": "f1"},
    ]
    content = [{"type": "output_text", "text": "x", "annotations": notes}]
    response = read(WIRE, whole({"type": "message", "content": content}))
    sources = "sources:\nA https://a.example\nb.pdf f1"
    assert response.parts == [Part("text", "x"), Part("other", sources)]


def test_a_compacted_conversation_is_no_answer_of_the_model() -> None:
    kept = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    response = read(WIRE, whole(kept, {"type": "compaction", "encrypted_content": "ab"}))
    assert response.text == ""
    assert response.parts[0] == Part("other", "kept:\nHi")


def test_an_answer_that_is_fetched_belongs_to_its_response() -> None:
    path = "/v1/responses/resp_1?stream=true&starting_after=3"
    fetched, _ = read_request(WIRE, path, [], b"")
    assert fetched.stream
    assert fetched.session_hints == {"previous_response_id": "resp_1"}
