import json
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.enhancements.observing import observed, wanted
from llmproxy_core.model import Response, Usage
from llmproxy_core.providers.formats import read_request
from llmproxy_core.success.call import Call
from llmproxy_core.success.signal import Signal

ID = UUID(int=7)
LONG = "You help the customers of a shop. " * 50


def call(wire: str, body: dict[str, Any], answer: str = "Fine.") -> Call:
    request, problem = read_request(wire, "/", [], json.dumps(body).encode())
    assert problem is None
    response = Response(texts=[answer], usage=Usage(900, 20), finish_reasons=["stop"])
    return Call(ID, 1, ID, 1_772_442_000 * 10**9, 0, wire, 200, request, response, body=body)


def seen(wire: str, body: dict[str, Any], signals: Any = (), **options: Any) -> Any:
    answer = options.pop("answer", "Fine.")
    return observed(call(wire, body, answer), signals, provider="p", model="m", **options)


def anthropic(**fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": "Hello"}]
    return {"model": "m", "max_tokens": 300, "system": LONG, "messages": turns, **fields}


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("anthropic.messages", anthropic(temperature=0.5)),
        (
            "openai.chat",
            {
                "messages": [
                    {"role": "system", "content": LONG},
                    {"role": "user", "content": "Hello"},
                ],
                "max_completion_tokens": 300,
                "temperature": 0.5,
            },
        ),
        (
            "openai.responses",
            {"instructions": LONG, "input": "Hello", "max_output_tokens": 300, "temperature": 0.5},
        ),
        (
            "gemini",
            {
                "systemInstruction": {"parts": [{"text": LONG}]},
                "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
                "generationConfig": {"maxOutputTokens": 300, "temperature": 0.5},
            },
        ),
        (
            "bedrock.converse",
            {
                "system": [{"text": LONG}],
                "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
                "inferenceConfig": {"maxTokens": 300, "temperature": 0.5},
            },
        ),
        (
            "ollama.chat",
            {
                "messages": [
                    {"role": "system", "content": LONG},
                    {"role": "user", "content": "Hello"},
                ],
                "options": {"num_predict": 300, "temperature": 0.5},
            },
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_parameters_and_prefix_are_read_on_all_wires(wire, body):
    found = seen(wire, body)

    assert found.parameters == {"max_tokens": 300, "temperature": 0.5}
    assert found.has_system
    assert 350 < found.prefix_tokens < 500
    assert found.breakpoints == 0


def test_the_same_prefix_has_the_same_hash_whatever_is_asked_and_marked():
    marked = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    plain = [{"type": "text", "text": LONG}]
    one = seen("anthropic.messages", anthropic(system=plain))
    other = seen(
        "anthropic.messages",
        anthropic(system=marked, messages=[{"role": "user", "content": "Bye"}]),
    )

    assert one.prefix == other.prefix
    assert (one.breakpoints, other.breakpoints) == (0, 1)
    assert seen("anthropic.messages", anthropic(system=LONG + "!")).prefix != one.prefix


def test_a_text_that_speaks_of_marks_has_none():
    words = [{"role": "user", "content": 'Say "cache_control":{"type":"ephemeral"} to me.'}]

    assert seen("anthropic.messages", anthropic(messages=words)).breakpoints == 0


def test_tools_and_the_choice_of_one_are_seen():
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("search", "send")]
    found = seen(
        "anthropic.messages",
        anthropic(tools=tools, tool_choice={"type": "tool", "name": "send"}),
        called={"search"},
    )

    assert found.declared == ("search", "send")
    assert (found.called, found.forced) == ({"search"}, {"send"})
    assert found.parameters["tool_choice"] is True


def test_google_names_the_tools_it_allows():
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["send"]}}
    body = {"contents": [{"parts": [{"text": "Hi"}]}], "toolConfig": config}

    assert "send" in seen("gemini", body).forced


def signal(name: str, verdict: Any = "bad", weight: float = 1.0) -> Signal:
    return Signal(ID, name, verdict, "wire", weight, "why")


def test_signals_that_count_are_kept():
    signals = [signal("truncated"), signal("format", "good"), signal("refusal", weight=0.3)]

    found = seen("anthropic.messages", anthropic(), signals)

    assert (found.judged, found.bad) == (True, {"truncated"})
    assert not seen("anthropic.messages", anthropic()).judged
    assert not seen("anthropic.messages", anthropic(), signals, counting={"edited"}).judged
    assert not seen("anthropic.messages", anthropic(), [signal("unavailable")]).judged


def test_what_a_person_says_outweighs_all_else():
    signals = [signal("format"), signal("feedback", "good")]

    assert seen("anthropic.messages", anthropic(), signals).bad == frozenset()


@pytest.mark.parametrize(
    ("answer", "is_json"),
    [('{"a": 1}', True), ("[1]", True), ("```json\n{}\n```", False), ("Sure", False), (" ", None)],
)
def test_only_json_alone_is_json(answer, is_json):
    assert seen("anthropic.messages", anthropic(), answer=answer).is_json is is_json


def schema(strict: bool) -> dict[str, Any]:
    inner = {"name": "x", "schema": {"type": "object"}, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "nothing"),
        ({"response_format": {"type": "text"}}, "nothing"),
        ({"response_format": {"type": "json_object"}}, "object"),
        (schema(strict=False), "schema"),
        (schema(strict=True), "strict"),
    ],
)
def test_the_form_that_is_asked_for_is_told(body, kind):
    assert wanted("openai.chat", body) == kind


@pytest.mark.parametrize("wire", ["openai.chat", "gemini", "bedrock.converse", "odd"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": 3, "tools": {"a": 1}, "tool_choice": [[[[[[[["x"]]]]]]]]},
        {"system": [[[[{"cache_control": {}}]]]], "generationConfig": []},
    ],
    ids=str,
)
def test_foreign_shapes_do_no_harm(wire, body):
    assert observed(
        Call(
            ID, 1, ID, 0, 0, wire, 200, read_request(wire, "/", [], b"{}")[0], Response(), body=body
        ),
        (),
        provider="",
        model="",
    ).id
