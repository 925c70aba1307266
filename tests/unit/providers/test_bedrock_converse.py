import json
from typing import Any

from llmproxy_core.model import Part, Tool, Usage
from llmproxy_core.providers.bedrock_converse import read_usage
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import Event, read
from tests.unit.providers.samples_bedrock import CONVERSE, EVENTSTREAM, eventstream

WIRE = "bedrock.converse-stream"


def asked(body: dict[str, Any], path: str = "/model/a.b-v1%3A0/converse") -> Any:
    return read_request("bedrock.converse", path, [], json.dumps(body).encode())[0]


def streamed(*events: Event) -> Any:
    return read(WIRE, eventstream(list(events)), kind=EVENTSTREAM)


def answered(*content: Event) -> Any:
    body = {"output": {"message": {"content": list(content)}}, "stopReason": "end_turn"}
    return read("bedrock.converse", json.dumps(body).encode())


def delta(index: int, **fields: Any) -> Event:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}


def call(index: int, name: str) -> Event:
    start = {"toolUse": {"toolUseId": f"t{index}", "name": name}}
    return {"contentBlockStart": {"contentBlockIndex": index, "start": start}}


def test_the_path_names_the_model_and_whether_it_streams() -> None:
    assert asked({}).model == "a.b-v1:0"
    assert not asked({}).stream
    arn = (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream?a=1"
    )
    assert asked({}, arn).model == "arn:aws:bedrock:us-east-1:1:inference-profile/us.x"
    assert asked({}, arn).stream


def test_marks_for_the_cache_are_no_content_and_no_tools() -> None:
    request = asked(CONVERSE.request)
    assert request.system == [Part("text", "Be brief.")]
    assert request.tools == [
        Tool("weather", "Tells it"),
        Tool("nova_code_interpreter", hosted=True),
    ]
    assert request.parameters == {"inferenceConfig.temperature": 0.2}


def test_results_and_files_are_described() -> None:
    result = {
        "toolUseId": "t1",
        "status": "success",
        "content": [
            {"text": "12 degrees"},
            {"json": {"wind": 3}},
            {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
        ],
    }
    file = {"format": "pdf", "name": "plan", "source": {"s3Location": {"uri": "s3://b/plan.pdf"}}}
    content = [
        {"toolResult": result},
        {"document": file},
        {"guardContent": {"text": {"text": "guarded"}}},
        {"somethingNew": {}},
    ]
    (message,) = asked({"messages": [{"role": "user", "content": content}]}).messages
    assert message.parts == [
        Part("tool_result", '12 degrees\n{"wind":3}\n[image png, 3 bytes]', None, "t1"),
        Part("document", "pdf, s3://b/plan.pdf", "plan"),
        Part("text", "guarded"),
        Part("other", "somethingNew"),
    ]


def test_calls_that_are_streamed_side_by_side_stay_apart() -> None:
    response = streamed(
        call(1, "weather"),
        call(2, "time"),
        delta(1, toolUse={"input": '{"city":'}),
        delta(2, toolUse={"input": '{"zone"'}),
        delta(1, toolUse={"input": '"Oslo"}'}),
        delta(2, toolUse={"input": ':"CET"}'}),
        {"messageStop": {"stopReason": "tool_use"}},
    )
    calls = [(call.id, call.name, call.arguments) for call in response.tool_calls]
    assert calls == [("t1", "weather", '{"city":"Oslo"}'), ("t2", "time", '{"zone":"CET"}')]


def test_thoughts_without_text_are_left_out() -> None:
    response = streamed(
        delta(0, reasoningContent={"redactedContent": "AAAA"}),
        delta(1, reasoningContent={"text": "Hm."}),
        delta(1, reasoningContent={"signature": "c2ln"}),
        delta(2, text="Hi"),
        {"messageStop": {"stopReason": "end_turn"}},
    )
    assert (response.reasoning, response.text, response.unknown_events) == ("Hm.", "Hi", {})


def test_the_tools_of_the_provider_are_told_apart() -> None:
    response = answered(
        {
            "toolUse": {
                "name": "nova_code_interpreter",
                "type": "server_tool_use",
                "input": {"a": 1},
            }
        },
        {"toolResult": {"toolUseId": "t1", "content": [{"json": {"out": "4"}}]}},
        {"citationsContent": {"content": [{"text": "Four."}], "citations": []}},
    )
    assert response.server_tool_calls == ["nova_code_interpreter"]
    assert response.tool_calls == []
    assert response.text == "Four."


def test_cached_tokens_are_part_of_the_input() -> None:
    told: dict[str, Any] = {
        "inputTokens": 5,
        "outputTokens": 7,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokenCount": 10,
    }
    assert read_usage(told) == Usage(115, 7, 100, 10, None, told)
    assert read_usage({"outputTokens": 7}).input_tokens is None


def test_an_error_is_read() -> None:
    response = read(WIRE, b'{"message": "No such model"}', 400)
    assert response.error is not None
    assert response.error.message == "No such model"
