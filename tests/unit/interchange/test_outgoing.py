"""What is exported, format by format, from calls that are made here."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.interchange.outgoing import fine_tuning, har, jsonl, moments, otlp, texts
from llmproxy_core.interchange.outgoing.call import Call
from llmproxy_core.interchange.outgoing.tools import functions
from llmproxy_core.interchange.wires import exported, ours
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.flows import Flow
from tests.unit.interchange.recorded import ANSWER, QUESTION, raised

ID = UUID("0199c82c-c000-70c6-ae69-8ff30a3da5c2")
PARENT = UUID("0199c82c-c000-7000-8000-00000000000f")
SESSION = UUID("5b47d29f-169d-801c-8183-b532ca1bd0e9")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}


def call(
    asked: dict[str, Any] | bytes = QUESTION,
    answered: dict[str, Any] | bytes | None = ANSWER,
    wire: str = "openai.chat",
    path: str = "/v1/chat/completions",
    **flow: Any,
) -> Call:
    question = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    answer = json.dumps(answered).encode() if isinstance(answered, dict) else answered
    row = RequestRow(
        ns_id=1, id=ID, session_id=SESSION, started_at=NOON, client="import", user_agent=None,
        proxy_user=None, credential=None, provider="openai", wire=wire, scheme="https",
        host="api.openai.com", port=443, method="POST", path=path, http_version="HTTP/1.1",
        headers=[("content-type", "application/json")], model="gpt-4o", stream=False,
        n_messages=1, tool_names=[], parameters={}, preview="", body=question,
        body_bytes=len(question), body_kept="full", hash_in=b"", hash_out=b"", parent_id=PARENT,
    )  # fmt: skip
    told = None
    read = AnswerReader(wire, 200, [], path)
    if answer is not None:
        read.feed(answer)
        told = ResponseRow(
            ns_id=1, id=ID, state="complete", ended_at=NOON + timedelta(seconds=2), status=200,
            headers=[("content-type", "application/json")], body=answer, body_bytes=len(answer),
            first_byte_ms=500.0, duration_ms=2000.0,
        )  # fmt: skip
    line = Flow(
        ns_id=1, namespace="default", id=ID, session_id=SESSION, started_at=NOON,
        state="complete" if told else "open", client="import", user_agent=None, proxy_user=None,
        credential=None, provider="openai", wire=wire, host="", method="POST", path=path,
        model="gpt-4o", request_model="gpt-4o", stream=False, n_messages=1, preview="",
        body_bytes=len(question), request_changed=False, parse_error=None,
        status=200 if told else None, input_tokens=5, output_tokens=2, cost_usd=Decimal("0.000033"),
    )  # fmt: skip
    for name, value in flow.items():
        setattr(line, name, value)
    return Call(line, row, told, read_request(wire, path, [], question)[0], read.finish())


def test_a_line_says_what_was_said():
    told = jsonl.fields(call(), bodies=False)

    assert (told["text"], told["texts"], told["finish_reasons"]) == (
        "Because.",
        ["Because."],
        ["stop"],
    )
    assert told["usage"] == {
        "input_tokens": 5,
        "output_tokens": 2,
        "cached_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
    }
    assert told["usage_raw"] == {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    assert (told["cost_usd"], told["cost_exact"]) == (0.000033, "0.000033")
    assert told["parent_id"] == str(PARENT)
    assert "request_body" not in told


def test_a_call_without_an_answer_is_a_line_too():
    told = jsonl.fields(call(answered=None), bodies=True)

    assert (told["status"], told["state"], told["response_body"]) == (None, "open", None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ('{"a": 1}', {"a": 1}),
        ("12345678901234567890123", 12345678901234567890123),
        ('{"a":', {"$unparsed": '{"a":'}),
        ("[" * 100_000, {"$unparsed": "[" * 100_000}),
        ("[" * 99_000 + "]" * 99_000, {"$unparsed": "[" * 99_000 + "]" * 99_000}),
    ],
)
def test_arguments_are_values_where_they_are_json(text, value):
    assert texts.arguments(text) == value


@pytest.mark.parametrize("value", ["\ud800", 2**80, {"a": "\x00\u2028é"}, 0.1])
def test_whatever_was_said_can_be_written(value):
    assert json.loads(texts.dumps([value])) == [value]


def test_what_json_has_no_word_for_is_null():
    assert json.loads(texts.dumps([float("nan"), "\ud800", float("inf")])) == [None, "\ud800", None]


@pytest.mark.parametrize(
    ("wire", "path", "name"),
    [
        ("gemini", "/v1/models/x:streamGenerateContent?alt=sse", "gemini.streamGenerateContent"),
        ("gemini", "/v1/models/x:generateContent", "gemini.generateContent"),
        ("gemini", "/somewhere", "gemini"),
        ("openai.chat", "/x:generateContent", "openai.chat"),
    ],
)
def test_names_of_formats_come_back_to_the_same_format(wire, path, name):
    assert exported(wire, path) == name
    assert ours(name) == wire


def test_har_adds_up():
    entry = har.entry(call())

    assert entry["timings"] == {"send": 0.0, "wait": 500.0, "receive": 1500.0}
    assert entry["time"] == 2000.0
    assert entry["startedDateTime"] == "2026-01-02T12:00:00.000000Z"
    assert json.loads(entry["response"]["content"]["text"])["id"] == "chatcmpl-1"


@pytest.mark.parametrize(
    ("wire", "path", "tools"),
    [
        (
            "openai.chat",
            "/v1/chat/completions",
            [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}],
        ),
        (
            "openai.responses",
            "/v1/responses",
            [
                {"type": "function", "name": "weather", "parameters": WEATHER},
                {"type": "web_search"},
            ],
        ),
        (
            "anthropic.messages",
            "/v1/messages",
            [{"name": "weather", "input_schema": WEATHER}, {"type": "bash_1", "name": "bash"}],
        ),
        (
            "gemini",
            "/v1/models/x:generateContent",
            [
                {"functionDeclarations": [{"name": "weather", "parameters": WEATHER}]},
                {"googleSearch": {}},
            ],
        ),
    ],
)
def test_tools_of_every_format_are_functions_of_openai(wire, path, tools):
    made = call({"tools": tools}, wire=wire, path=path)

    assert functions(made.asked) == [
        {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
    ]


def test_tools_of_converse_are_functions_too():
    spec = {"name": "weather", "description": "Rain?", "inputSchema": {"json": WEATHER}}
    made = call({"toolConfig": {"tools": [{"toolSpec": spec}]}}, wire="bedrock.converse")

    assert functions(made.asked)[0]["function"] == {
        "name": "weather",
        "description": "Rain?",
        "parameters": WEATHER,
    }


ANTHROPIC = {
    "model": "claude",
    "system": "Be brief.",
    "tools": [{"name": "weather", "input_schema": WEATHER}],
    "messages": [
        {"role": "user", "content": "Rain in Rome?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rome"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "sun"},
                {"type": "text", "text": "So?"},
            ],
        },
    ],
}
SUNNY = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "No."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def test_a_conversation_with_tools_becomes_an_example():
    made = call(ANTHROPIC, SUNNY, "anthropic.messages", "/v1/messages")

    messages = fine_tuning.example(made)["messages"]

    assert [m["role"] for m in messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
        "assistant",
    ]
    assert messages[2]["tool_calls"][0]["function"]["name"] == "weather"
    assert json.loads(messages[2]["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}
    assert (messages[3]["tool_call_id"], messages[3]["content"]) == ("t1", "sun")
    assert messages[5] == {"role": "assistant", "content": "No."}


def test_calls_of_gemini_get_ids_that_fit():
    asked = {
        "contents": [
            {"role": "user", "parts": [{"text": "Rain?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {}}}]},
        ]
    }
    answered = {"candidates": [{"content": {"parts": [{"text": "No."}]}, "finishReason": "STOP"}]}
    made = call(asked, answered, "gemini", "/v1/models/x:generateContent")

    messages = fine_tuning.example(made)["messages"]

    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (call(answered=None), "no whole answer"),
        (call(state="failed"), "no whole answer"),
        (call({"model": "x"}), "not a conversation"),
        (
            call(
                {
                    "messages": [
                        {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}
                    ]
                }
            ),
            "with images",
        ),
        (
            call({"messages": [{"role": "tool", "tool_call_id": "t", "content": "x"}]}),
            "without its call",
        ),
    ],
)
def test_what_is_no_example_is_left_out_and_counted(made, why):
    left_out: Counter[str] = Counter()

    assert list(fine_tuning.lines([made], lambda reason: left_out.update([reason]))) == []
    assert why in next(iter(left_out))


def test_a_span_has_its_session_its_parent_and_the_conventions_names():
    asked = json.loads(QUESTION) | {"temperature": 1, "max_tokens": 9, "stop": "x"}

    span = otlp.span(call(asked))

    told = {one["key"]: one["value"] for one in span["attributes"]}
    assert (span["traceId"], span["spanId"]) == (SESSION.hex, ID.hex[16:])
    assert span["parentSpanId"] == PARENT.hex[16:]
    assert span["startTimeUnixNano"] == "1767355200000000000"
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 2 * 10**9
    assert span["name"] == "chat gpt-4o"
    assert told["gen_ai.usage.input_tokens"] == {"intValue": "5"}
    assert told["gen_ai.request.temperature"] == {"doubleValue": 1.0}
    assert told["gen_ai.request.max_tokens"] == {"intValue": "9"}
    assert told["gen_ai.request.stop_sequences"] == {
        "arrayValue": {"values": [{"stringValue": "x"}]}
    }
    assert told["gen_ai.response.finish_reasons"] == {
        "arrayValue": {"values": [{"stringValue": "stop"}]}
    }
    assert span["status"] == {"code": otlp.OK}


def test_a_failed_call_is_a_span_with_an_error():
    span = otlp.span(call(state="failed", error_type="http_500", error="HTTP 500"))

    assert span["status"] == {"code": otlp.ERROR, "message": "HTTP 500"}
    assert {"key": "error.type", "value": {"stringValue": "http_500"}} in span["attributes"]


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("7d", NOON - timedelta(days=7)),
        ("90m", NOON - timedelta(minutes=90)),
        ("999999w", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T01:00:00+01:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(said, when):
    assert moments.read(said, NOON) == when


@pytest.mark.parametrize("said", ["", "soon", "7 parsecs", "2026-13-01", "-1d"])
def test_other_times_are_refused_with_examples(said):
    assert "write 7d" in raised(lambda: moments.read(said, NOON))


def test_both_names_of_a_tool_are_told():
    tools = [{"type": "function", "function": {"name": name}} for name in ("pay__find", "pay__x_h")]
    asked = {"model": "gpt-4o", "messages": [], "tools": tools}
    made = [{"id": "c1", "type": "function", "function": {"name": "pay__find", "arguments": "{}"}}]
    told = {"choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": made}}]}
    one = call(
        asked, told, namespace="payments", namespace_prefix="pay__", tool_names=["pay__find"],
        client_tool_names=["find"],
    )  # fmt: skip
    one.asked.namespace_prefix, one.asked.shortened = "pay__", {"pay__x_h": "x_and_more"}

    line = jsonl.fields(one, bodies=False)
    assert line["request_tool_names"] == ["pay__find", "pay__x_h"]
    assert line["request_client_tool_names"] == ["find", "x_and_more"]
    assert [(c["name"], c["client_name"]) for c in line["tool_calls"]] == [("pay__find", "find")]
    entry = har.entry(one)
    assert (entry["_tool_names"], entry["_client_tool_names"]) == (["pay__find"], ["find"])
    span = {a["key"]: a["value"] for a in otlp.span(one)["attributes"]}
    assert span["llmproxy.namespace_prefix"] == {"stringValue": "pay__"}
    assert span["llmproxy.client_tool_names"]["arrayValue"]["values"] == [{"stringValue": "find"}]


def test_a_call_without_a_prefix_says_nothing_of_it():
    assert "_namespace_prefix" not in har.entry(call())
    keys = {attribute["key"] for attribute in otlp.span(call())["attributes"]}
    assert not keys & {"llmproxy.namespace_prefix", "llmproxy.left_alone", "llmproxy.tool_names"}
