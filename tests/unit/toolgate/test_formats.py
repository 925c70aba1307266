"""What is particular about the calls of each wire format."""

import json
from typing import Any

import pytest

from llmproxy_core.toolgate import Call
from tests.unit.toolgate.gated import EVENTS, NO, denied, events, read, sse, through

LINES = [("Content-Type", "application/stream+json")]
JSON = [("Content-Type", "application/json")]


def by_name(*names: str) -> Any:
    return lambda call: NO if call.name in names else ""


def lines(*told: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)


def unlined(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.splitlines()]


def asked_of(wire: str, headers: Any, body: bytes) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []

    def judge(call: Call) -> str:
        found.append((call.name, call.id, call.arguments))
        return ""

    assert through(wire, headers, [body], judge) == body
    return found


# openai.responses


def item(kind: str, at: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"x_{at}", "type": kind, "call_id": f"call_{at}", **fields}


def added(at: int, told: Any, number: int) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": at, "item": told, "sequence_number": number}  # fmt: skip


def finished(at: int, told: Any, number: int) -> dict[str, Any]:
    return added(at, told, number) | {"type": "response.output_item.done"}


@pytest.mark.parametrize(
    ("told", "name", "arguments"),
    [
        ({"type": "custom_tool_call", "name": "sh", "input": "ls"}, "sh", "ls"),
        ({"type": "local_shell_call", "action": {"command": ["ls"]}}, "local_shell", '{"command":["ls"]}'),
        ({"type": "shell_call", "action": {"commands": ["ls"]}, "environment": {"type": "local"}}, "shell", '{"commands":["ls"]}'),
        ({"type": "apply_patch_call", "operation": {"path": "a"}}, "apply_patch", '{"path":"a"}'),
        ({"type": "computer_call", "action": {"type": "click"}}, "computer", '{"type":"click"}'),
    ],
)  # fmt: skip
def test_what_the_client_is_to_run_is_asked_about_whatever_its_kind(told, name, arguments):
    whole = item(told["type"], 0, **told)
    stream = sse(added(0, {**whole, "action": None, "input": ""}, 1), finished(0, whole, 2))
    assert asked_of("openai.responses", EVENTS, stream) == [(name, "call_0", arguments)]
    body = json.dumps({"id": "resp_1", "output": [whole]}).encode()
    assert asked_of("openai.responses", JSON, body) == [(name, "call_0", arguments)]
    left = json.loads(through("openai.responses", JSON, [body], denied))
    assert left["output"][0]["content"][0]["text"] == NO


@pytest.mark.parametrize(
    "told",
    [
        {"type": "web_search_call", "action": {"query": "x"}},
        {"type": "shell_call", "action": {}, "environment": {"type": "container_auto"}},
        {"type": "mcp_call", "name": "x", "arguments": "{}"},
    ],
)
def test_what_openai_runs_itself_is_not_asked_about(told):
    assert asked_of("openai.responses", EVENTS, sse(added(0, told, 1), finished(0, told, 2))) == []


def test_numbers_of_events_go_up_where_a_message_has_more_of_them():
    whole = item("custom_tool_call", 0, name="rm", input="x")
    told = [
        added(0, {**whole, "input": ""}, 3),
        finished(0, whole, 4),
        {"type": "response.completed", "response": {"output": [whole]}, "sequence_number": 5},
    ]
    sent = events(through("openai.responses", EVENTS, [sse(*told)], denied))
    assert [one["sequence_number"] for one in sent] == [3, 4, 5, 6, 7, 8, 9]
    assert [one["type"].removeprefix("response.") for one in sent] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert sent[-2]["item"] == sent[-1]["response"]["output"][0]
    assert sent[0]["item"]["id"].startswith("msg_")


def test_a_call_that_only_the_last_event_tells_is_judged_there():
    whole = item("function_call", 0, name="rm", arguments="{}")
    last = {"type": "response.completed", "response": {"output": [whole]}}
    (sent,) = events(through("openai.responses", EVENTS, [sse(last)], denied))
    assert sent["response"]["output"][0]["type"] == "message"


# gemini


def candidate(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [*parts]}, **more}]}


@pytest.mark.parametrize("key", ["functionCall", "function_call"])
@pytest.mark.parametrize("envelope", [False, True])
def test_a_part_becomes_a_text_in_its_place(key, envelope):
    call = {key: {"name": "rm", "args": {"a": 1}}, "thoughtSignature": "abc"}
    other = {key: {"name": "ls", "args": {}}}
    told = candidate({"text": "Hm"}, call, other, finishReason="STOP")
    wrapped = {"response": told, "traceId": "1"} if envelope else told
    (sent,) = events(through("gemini", EVENTS, [sse(wrapped)], by_name("rm")))
    inner = sent["response"] if envelope else sent
    assert inner == candidate({"text": "Hm"}, {"text": f"\n\n{NO}"}, other, finishReason="STOP")


def test_arguments_that_are_streamed_are_held_until_they_are_whole():
    def piece(goes_on: bool, **more: Any) -> dict[str, Any]:
        return candidate({"functionCall": {**more, "willContinue": goes_on}})

    told = [
        piece(True, name="rm"),
        piece(True, partialArgs=[{"jsonPath": "$.a", "stringValue": "x", "willContinue": True}]),
        piece(True, partialArgs=[{"jsonPath": "$.a", "stringValue": "y"}]),
        candidate({"text": "Hm"}),
        candidate({"functionCall": {}}, finishReason="STOP"),
    ]
    asked: list[tuple[str, str]] = []

    def judge(call: Call) -> str:
        asked.append((call.name, call.arguments))
        return NO

    sent = events(through("gemini", EVENTS, [sse(*told)], judge))
    assert asked == [("rm", "xy")]
    assert sent[0] == told[3]
    assert sent[1] == candidate({"text": f"\n\n{NO}"})
    assert sent[-1] == candidate({"text": ""}, finishReason="STOP")


def test_an_array_that_grows_stays_one():
    told = [candidate({"functionCall": {"name": "rm"}}), candidate({"text": "!"})]
    body = json.dumps(told, indent=2).encode()
    for pieces in ([body], [body[:40], body[40:]]):
        sent = json.loads(through("gemini", JSON, pieces, denied))
        assert sent == [candidate({"text": NO}), told[1]]


# bedrock


def test_nova_speaks_through_invoke_in_envelopes():
    told = [
        {"contentBlockDelta": {"delta": {"text": "Hm"}, "contentBlockIndex": 0}},
        {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "1", "name": "rm"}}, "contentBlockIndex": 1}},
        {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"a":'}}, "contentBlockIndex": 1}},
        {"contentBlockDelta": {"delta": {"toolUse": {"input": "1}"}}, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"outputTokens": 1}}},
    ]  # fmt: skip
    assert asked_of("bedrock.invoke", EVENTS, sse(*told)) == [("rm", "1", '{"a":1}')]
    sent = events(through("bedrock.invoke", EVENTS, [sse(*told)], denied))
    assert sent == [
        told[0],
        {"contentBlockDelta": {"delta": {"text": NO}, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "end_turn"}},
        told[6],
    ]


def test_each_maker_is_known_by_its_words():
    call = {"id": "1", "function": {"name": "rm", "arguments": "{}"}}
    use = {"toolUse": {"toolUseId": "1", "name": "rm", "input": {}}}
    bodies = [
        {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]},
        {"output": {"message": {"content": [use]}}, "stopReason": "tool_use"},
        {"type": "message", "content": [{"type": "tool_use", "id": "1", "name": "rm", "input": {}}]},
        {"message": {"tool_calls": [call]}, "finish_reason": "TOOL_CALL"},
    ]  # fmt: skip
    for body in bodies:
        raw = json.dumps(body).encode()
        assert asked_of("bedrock.invoke", JSON, raw) == [("rm", "1", "{}")]
        sent = through("bedrock.invoke", JSON, [raw], denied)
        assert NO in sent.decode()
        assert b'"rm"' not in sent


# cohere


def test_the_first_version_tells_calls_in_chunks_then_whole_then_again():
    calls = [{"name": "rm", "parameters": {"a": 1}}, {"name": "ls", "parameters": {}}]
    history = [{"role": "CHATBOT", "message": "Plan.", "tool_calls": calls}]
    told: list[Any] = [
        {"event_type": "tool-calls-chunk", "text": "Plan."},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "name": "rm"}},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "parameters": "{"}},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 1, "name": "ls"}},
        {"event_type": "tool-calls-generation", "tool_calls": calls},
        {
            "event_type": "stream-end",
            "finish_reason": "COMPLETE",
            "response": {"text": "Plan.", "tool_calls": calls, "chat_history": history},
        },
    ]
    body = lines(*told)
    asked = asked_of("cohere.chat", LINES, body)
    assert asked == [("rm", "", '{"a":1}'), ("ls", "", "{}")]
    sent = unlined(through("cohere.chat", LINES, [body], by_name("rm")))
    text = {"is_finished": False, "event_type": "text-generation", "text": f"\n\n{NO}"}
    assert sent[:4] == [told[0], text, told[3], {**told[4], "tool_calls": calls[1:]}]
    assert sent[4]["response"]["tool_calls"] == calls[1:]
    assert sent[4]["response"]["chat_history"][0]["tool_calls"] == calls[1:]
    after = read("cohere.chat", LINES, through("cohere.chat", LINES, [body], denied))
    assert (after.tool_calls, after.text) == ([], f"Plan.\n\n{NO}\n\n{NO}")


def test_the_second_version_moves_calls_up():
    def call(kind: str, at: int, **function: Any) -> dict[str, Any]:
        told = {"id": f"c{at}", "function": function} if function else {}
        delta = {"delta": {"message": {"tool_calls": told}}} if told else {}
        return {"type": f"tool-call-{kind}", "index": at, **delta}

    told = [
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"text": ""}}}},
        call("start", 0, name="rm", arguments=""),
        call("delta", 0, arguments="{}"),
        call("end", 0),
        call("start", 1, name="ls", arguments=""),
        call("delta", 1, arguments="{}"),
        call("end", 1),
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {"x": 1}}},
    ]
    sent = events(through("cohere.chat", EVENTS, [sse(*told)], by_name("rm")))
    assert [one["type"] for one in sent[1:4]] == ["content-start", "content-delta", "content-end"]
    assert {one["index"] for one in sent[1:4]} == {1}
    assert [one["index"] for one in sent[4:7]] == [0, 0, 0]
    assert sent[7] == told[7]


# ollama


def test_a_line_of_calls_keeps_what_may_go_on():
    calls = [{"function": {"name": name, "arguments": {"a": 1}}} for name in ("rm", "ls")]
    told = [
        {"message": {"role": "assistant", "content": "Hm"}, "done": False},
        {"message": {"role": "assistant", "content": "", "tool_calls": calls}, "done": False},
        {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
    ]
    headers = [("Content-Type", "application/x-ndjson")]
    sent = unlined(through("ollama.chat", headers, [lines(*told)], by_name("rm")))
    left = {"role": "assistant", "content": f"\n\n{NO}", "tool_calls": calls[1:]}
    assert sent == [told[0], {"message": left, "done": False}, told[2]]
    assert unlined(through("ollama.chat", JSON, [lines(*told)], by_name("rm"))) == sent


def test_each_of_many_calls_has_its_text():
    told = [candidate({"functionCall": {"name": "rm", "args": {"n": at}}}) for at in range(300)]
    asked: list[int] = []

    def judge(call: Call) -> str:
        asked.append(len(asked))
        return f"<{asked[-1]}>"

    sent = events(through("gemini", EVENTS, [sse(one) for one in told], judge))
    said = [one["candidates"][0]["content"]["parts"][0]["text"].strip() for one in sent]
    assert said == [f"<{at}>" for at in range(300)]
