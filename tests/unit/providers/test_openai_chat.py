import json
from typing import Any

from llmproxy_core.model import Part, Request, Response, ToolCall
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.openai_chat import read_usage
from tests.unit.providers.sample import read, sse

WIRE = "openai.chat"


def request(path: str = "/v1/chat/completions", **body: Any) -> Request:
    return read_request(WIRE, path, [], json.dumps(body).encode())[0]


def parts(message: dict[str, Any]) -> list[Part]:
    return request(messages=[message]).messages[0].parts


def whole(message: dict[str, Any], finish: str = "stop") -> Response:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return read(WIRE, json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())


def streamed(*deltas: dict[str, Any]) -> Response:
    events = [{"id": "c", "model": "m", "choices": [{"index": 0, "delta": d}]} for d in deltas]
    return read(WIRE, sse(events, done=True))


def test_all_roles_are_kept_in_their_order() -> None:
    roles = ["system", "developer", "user", "assistant", "tool", "function", "critic"]
    read = request(messages=[{"role": role, "content": "x"} for role in roles])
    assert [message.role for message in read.messages] == [
        "system", "system", "user", "assistant", "tool", "tool", "user",
    ]  # fmt: skip
    assert read.system == []


def test_what_is_not_text_is_described() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAABBBB"}},
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_id": "file-1"}},
        {"type": "document_url", "document_url": "https://example.com/a.pdf"},
        {"type": "video_url", "video_url": {}},
        {"type": "refusal", "refusal": "No."},
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        "loose text",
    ]
    assert parts({"role": "user", "content": content}) == [
        Part("image", "image/png, 22 bytes"),
        Part("image", "https://example.com/a.png"),
        Part("audio", "wav, 3 bytes"),
        Part("document", "file-1", "a.pdf"),
        Part("document", "https://example.com/a.pdf"),
        Part("other", "video_url"),
        Part("refusal", "No."),
        Part("reasoning", "Hm."),
        Part("text", "loose text"),
    ]


def test_calls_and_their_results_are_parts() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "raw"}},
    ]
    assistant = {"role": "assistant", "content": None, "tool_calls": calls, "reasoning": "Hm."}
    assert parts(assistant | {"function_call": {"name": "h", "arguments": {"b": 2}}}) == [
        Part("reasoning", "Hm."),
        Part("tool_call", '{"a": 1}', "f", "c1"),
        Part("tool_call", "raw", "g", "c2"),
        Part("tool_call", '{"b":2}', "h"),
    ]
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    result = {"role": "tool", "tool_call_id": "c1", "content": content}
    assert parts(result) == [Part("tool_result", "a\nb", None, "c1")]
    assert parts({"role": "assistant", "refusal": "No."}) == [Part("refusal", "No.")]


def test_tools_of_all_kinds_are_named() -> None:
    tools = [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "g"}},
        {"name": "flat", "parameters": {}},
        {"type": "openrouter:web_search"},
    ]
    read = request(messages=[], tools=tools, functions=[{"name": "old", "description": "d"}])
    assert [(tool.name, tool.hosted) for tool in read.tools] == [
        ("f", False),
        ("g", False),
        ("flat", False),
        ("openrouter:web_search", True),
        ("old", False),
    ]


def test_azure_names_the_model_in_the_path() -> None:
    assert request("/openai/deployments/gpt-4o/chat/completions?x=1").model == "gpt-4o"
    assert request().model is None


def test_a_legacy_function_call_is_a_call() -> None:
    expected = [ToolCall(None, "f", '{"a": 1}')]
    assert whole({"function_call": {"name": "f", "arguments": '{"a": 1}'}}).tool_calls == expected
    pieces = [{"name": "f"}, {"arguments": '{"a": '}, {"arguments": "1}"}]
    assert streamed(*({"function_call": piece} for piece in pieces)).tool_calls == expected


def test_custom_tools_are_calls() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "g", "input": "raw"}}
    assert whole({"tool_calls": [call]}).tool_calls == [ToolCall("c1", "g", "raw")]


def test_arguments_that_are_an_object_become_text() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}
    assert whole({"tool_calls": [call]}).tool_calls[0].arguments == '{"a":1}'


def test_parallel_calls_that_share_an_index_are_told_apart_by_id() -> None:
    for index in ({"index": 0}, {}):
        calls = [
            {"tool_calls": [index | {"id": id, "function": {"name": id, "arguments": "{}"}}]}
            for id in ("a", "b", "c")
        ]
        assert [call.id for call in streamed(*calls).tool_calls] == ["a", "b", "c"]


def test_a_name_may_come_after_the_id() -> None:
    start = {"tool_calls": [{"index": 0, "id": "c1", "function": {}}]}
    name = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}
    assert streamed(start, name).tool_calls == [ToolCall("c1", "f", "{}")]


def test_mistrals_chunks_are_text_and_reasoning() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    content = [thinking, {"type": "text", "text": "4"}]
    for response in (whole({"content": content}), streamed({"content": content})):
        assert (response.text, response.reasoning) == ("4", "Hm.")
    old = whole({"content": [{"type": "thinking", "thinking": "Hm."}]})
    assert old.reasoning == "Hm."


def test_reasoning_has_many_names() -> None:
    details = [{"type": "reasoning.text", "text": "Hm."}, {"summary": " So."}]
    assert whole({"reasoning_content": "a"}).reasoning == "a"
    assert whole({"reasoning": "a", "reasoning_details": details}).reasoning == "a"
    assert whole({"reasoning_details": details}).reasoning == "Hm. So."


def test_a_refusal_is_not_text() -> None:
    for response in (whole({"refusal": "No."}), streamed({"refusal": "N"}, {"refusal": "o."})):
        assert (response.refusal, response.text) == ("No.", "")


def test_spoken_answers_have_their_transcript_as_text() -> None:
    assert whole({"content": None, "audio": {"transcript": "Hi", "data": "AA"}}).text == "Hi"


def test_tools_that_the_provider_ran_are_named() -> None:
    executed = [{"type": "search", "arguments": "{}", "output": "x"}]
    assert whole({"content": "a", "executed_tools": executed}).server_tool_calls == ["search"]


def test_every_choice_has_its_text_and_reason() -> None:
    choices = [
        {"index": n, "message": {"content": f"t{n}"}, "finish_reason": f"r{n}"} for n in (1, 0)
    ]
    response = read(WIRE, json.dumps({"choices": choices}).encode())
    assert (response.texts, response.finish_reasons) == (["t0", "t1"], ["r0", "r1"])
    events = [{"choices": [{"index": n, "delta": {"content": f"t{n}"}}]} for n in (1, 0)]
    response = read(WIRE, sse(events, done=True))
    assert response.texts == ["t0", "t1"]


def test_an_error_inside_a_good_stream_is_told() -> None:
    start = {"choices": [{"index": 0, "delta": {"content": "may"}}]}
    error = {"error": {"message": "broke", "type": "invalid_request_error"}}
    response = read(WIRE, sse([start, error]))
    assert (response.text, response.error and response.error.message) == ("may", "broke")
    plain = b'event: error\ndata: {"message": "broke", "code": 500}\n\n'
    response = read(WIRE, plain)
    assert response.error is not None
    assert (response.error.type, response.error.message) == ("500", "broke")
    inner = {"choices": [{"index": 0, "delta": {}, "error": {"code": 502, "message": "up"}}]}
    response = read(WIRE, sse([inner]))
    assert response.error is not None


def test_chunks_without_sense_are_counted() -> None:
    response = read(WIRE, sse([{"object": "new.kind"}, {}, {"choices": [None, 1]}], done=True))
    assert response.unknown_events == {"new.kind": 1, "without choices": 1}
    assert response.n_events == 3


def test_an_empty_finish_reason_gives_way() -> None:
    events = [
        {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": reason}]}
        for reason in ("", "stop", "")
    ]
    assert read(WIRE, sse(events)).finish_reasons == ["stop"]
    assert read(WIRE, sse(events[:1])).incomplete
    assert not read(WIRE, sse(events)).incomplete


def test_counters_are_normalised() -> None:
    deepseek = read_usage(
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}
    )
    assert (deepseek.input_tokens, deepseek.cached_tokens) == (9, 4)
    xai = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 18}
    told = read_usage(xai | {"completion_tokens_details": {"reasoning_tokens": 7}})
    assert (told.output_tokens, told.reasoning_tokens) == (9, 7)
    google = read_usage(xai)
    assert (google.output_tokens, google.reasoning_tokens) == (9, 7)
    odd = read_usage({"prompt_tokens": "9", "completion_tokens": True, "total_tokens": 1e400})
    assert (odd.input_tokens, odd.output_tokens) == (None, None)


def test_groq_tells_usage_in_a_corner() -> None:
    event = {"choices": [], "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}}
    usage = read(WIRE, sse([event])).usage
    assert usage is not None
    assert usage.input_tokens == 3
