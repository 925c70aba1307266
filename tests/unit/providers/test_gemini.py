import json
from typing import Any

from llmproxy_core.model import Message, Part, Request, ToolCall
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples import GEMINI

WIRE = "gemini"
PATH = "/v1beta/models/gemini-x:generateContent"


def request(path: str = PATH, **body: Any) -> Request:
    return read_request(WIRE, path, [], json.dumps(body).encode())[0]


def parts(*parts: dict[str, Any]) -> list[Part]:
    return request(contents=[{"parts": list(parts)}]).messages[0].parts


def answer(*parts: dict[str, Any], **more: Any) -> bytes:
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    return json.dumps({"candidates": [candidate], **more}).encode()


def test_the_path_names_model_and_method() -> None:
    assert (request().model, request().stream) == ("gemini-x", False)
    streamed = request("/v1beta/models/gemini-x:streamGenerateContent?alt=sse")
    assert (streamed.model, streamed.stream) == ("gemini-x", True)


def test_code_assist_wraps_request_and_answer() -> None:
    path = "/v1internal:streamGenerateContent?alt=sse"
    inner = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "session_id": "s1"}
    read_one = request(path, model="gemini-x", project="p", request=inner)
    assert (read_one.model, read_one.stream) == ("gemini-x", True)
    assert read_one.messages == [Message("user", [Part("text", "hi")])]
    assert read_one.session_hints == {"session_id": "s1"}
    events = [{"response": event, "traceId": "t"} for event in GEMINI.events]
    assert read(WIRE, sse(events)) == read(WIRE, GEMINI.sse)


def test_snake_case_is_read_like_camel_case() -> None:
    call = {"name": "f", "args": {}}
    read_one = request(
        system_instruction={"parts": [{"text": "a"}]},
        contents=[
            {"role": "model", "parts": [{"function_call": call, "thought_signature": "x"}]},
            {"role": "function", "parts": [{"function_response": {"name": "f", "response": 1}}]},
        ],
        tools=[{"function_declarations": [{"name": "f"}]}],
        generation_config={"temperature": 0.5, "stop_sequences": ["x"]},
    )
    assert read_one.system == [Part("text", "a")]
    assert read_one.messages == [
        Message("assistant", [Part("tool_call", "{}", "f")]),
        Message("tool", [Part("tool_result", "1", "f")]),
    ]
    assert [tool.name for tool in read_one.tools] == ["f"]
    assert read_one.parameters == {"temperature": 0.5, "stop_sequences": ["x"]}


def test_strings_and_single_objects_stand_for_lists() -> None:
    assert request(contents="hi").messages == [Message("user", [Part("text", "hi")])]
    assert request(contents={"parts": {"text": "hi"}}).messages[0].parts == [Part("text", "hi")]
    assert request(systemInstruction="a").system == [Part("text", "a")]


def test_what_is_not_text_is_described() -> None:
    assert parts(
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/f"}},
        {"executableCode": {"code": "1+1"}},
        {"codeExecutionResult": {"output": "2"}},
        {"toolCall": {"toolType": "GOOGLE_SEARCH", "id": "1"}},
        {"toolResponse": {"toolType": "GOOGLE_SEARCH", "id": "1", "response": {}}},
        {"videoMetadata": {}, "thoughtSignature": "x"},
    ) == [
        Part("image", "image/png, 3 bytes"),
        Part("audio", "audio/wav, 3 bytes"),
        Part("document", "application/pdf, gs://b/f"),
        Part("tool_call", "1+1", "code_execution"),
        Part("tool_result", "2", "code_execution"),
        Part("tool_call", "{}", "GOOGLE_SEARCH", "1"),
        Part("tool_result", "{}", "GOOGLE_SEARCH", "1"),
        Part("other", "videoMetadata"),
    ]


def test_a_growing_array_is_a_stream() -> None:
    body = json.dumps(GEMINI.events, indent=2).encode()
    assert read(WIRE, body, kind="application/json") == read(WIRE, GEMINI.sse)
    assert read(WIRE, body[:-200]).incomplete


def test_output_includes_thoughts_and_input_what_tools_put_in() -> None:
    usage = read(WIRE, GEMINI.json).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cached_tokens) == (23, 8)
    assert (usage.output_tokens, usage.reasoning_tokens) == (9, 4)


def test_tools_that_the_provider_ran_are_named() -> None:
    body = answer(
        {"executableCode": {"code": "1+1"}},
        {"toolCall": {"toolType": "GOOGLE_SEARCH"}},
        {"thoughtSignature": "x"},
        {"functionCall": {"name": "f"}},
        {"functionCall": {"name": "f", "args": {"a": 1}}},
    )
    response = read(WIRE, body)
    assert response.server_tool_calls == ["code_execution", "google_search"]
    assert response.tool_calls == [ToolCall(None, "f", "{}"), ToolCall(None, "f", '{"a":1}')]


def test_a_blocked_prompt_is_an_error() -> None:
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "no"}
    response = read(WIRE, json.dumps({"promptFeedback": feedback}).encode())
    assert response.error is not None
    assert (response.error.type, response.error.message) == ("SAFETY", "no")


def test_errors_come_as_objects_and_as_lists() -> None:
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down"}}
    for body in (json.dumps(error).encode(), json.dumps([error]).encode(), sse([error])):
        for status in (200, 429):
            response = read(WIRE, body, status)
            assert response.error is not None
            assert response.error.type == "RESOURCE_EXHAUSTED"
            assert not response.incomplete


def test_finish_reasons_may_be_numbers() -> None:
    body = json.dumps({"candidates": [{"index": 0, "finishReason": 1}, {"finishReason": "STOP"}]})
    assert read(WIRE, body.encode()).finish_reasons == ["1", "STOP"]


def test_events_without_sense_are_counted() -> None:
    assert read(WIRE, sse([{"novelty": 1}, {}])).unknown_events == {"novelty": 1, "empty": 1}
