"""Answers in the form that was asked for: JSON, a schema, one of some words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from llmproxy_core.success.demands import form_of
from llmproxy_core.success.formats import format_kept
from tests.unit.success.exchanges import asked_for, call, completion

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
USER = [{"role": "user", "content": "Oslo?"}]
GOOD, BAD = '{"city": "Oslo", "people": 700000}', '{"city": "Oslo"}'


def message(text):
    return {
        "type": "message",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
    }


def item(text):
    content = [{"type": "output_text", "text": text}]
    return {"status": "completed", "output": [{"type": "message", "content": content}]}


def candidate(text):
    said = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    return {"candidates": [said]}


def spoken(text):
    said = {"message": {"role": "assistant", "content": [{"text": text}]}}
    return {"output": said, "stopReason": "end_turn"}


def local(text):
    return {"message": {"role": "assistant", "content": text}, "done": True, "done_reason": "stop"}


GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Oslo?"}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Oslo?"}]}]}
WAYS: dict[str, tuple[str, dict[str, Any], Callable[[str], dict[str, Any]]]] = {
    "chat": (
        "openai.chat",
        {
            "messages": USER,
            "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
        },
        completion,
    ),
    "responses": (
        "openai.responses",
        {"input": "Oslo?", "text": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        item,
    ),
    "anthropic": (
        "anthropic.messages",
        {
            "messages": USER,
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        },
        message,
    ),
    "gemini": (
        "gemini",
        {
            **GEMINI,
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": SCHEMA,
            },
        },
        candidate,
    ),
    "code assist": (
        "gemini",
        {
            "request": {
                **GEMINI,
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseSchema": {"type": "OBJECT", "required": ["city", "people"]},
                },
            }
        },
        candidate,
    ),
    "converse": (
        "bedrock.converse",
        {
            **CONVERSE,
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA)}},
                }
            },
        },
        spoken,
    ),
    "ollama": ("ollama.chat", {"messages": USER, "format": SCHEMA}, local),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_keeps_to_its_schema_is_good(way):
    wire, request, answer = WAYS[way]
    signal = format_kept(call(wire, request, answer(GOOD)))
    assert signal is not None
    assert signal.verdict == "good"


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_breaks_its_schema_says_where(way):
    wire, request, answer = WAYS[way]
    signal = format_kept(call(wire, request, answer(BAD)))
    assert signal is not None
    assert (signal.verdict, signal.why) == (
        "bad",
        "not as the schema says: $.people is missing",
    )


@pytest.mark.parametrize("way", WAYS)
def test_words_around_json_are_not_json(way):
    wire, request, answer = WAYS[way]
    signal = format_kept(call(wire, request, answer(f"```json\n{GOOD}\n```")))
    assert signal is not None
    assert signal.why.startswith("not JSON: ")


def test_json_without_a_schema_is_any_json():
    asked = {"messages": USER, "response_format": {"type": "json_object"}}
    good = format_kept(call("openai.chat", asked, completion('{"any": 1}')))
    bad = format_kept(call("openai.chat", asked, completion("Sure! Here it is.")))
    assert good is not None
    assert bad is not None
    assert (good.verdict, bad.verdict) == ("good", "bad")


def test_an_enum_of_gemini_is_a_bare_word():
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["red", "blue"]}}
    asked = {**GEMINI, "generationConfig": config}
    good = format_kept(call("gemini", asked, candidate("red\n")))
    bad = format_kept(call("gemini", asked, candidate("green")))
    assert good is not None
    assert bad is not None
    assert (good.verdict, bad.verdict) == ("good", "bad")


@pytest.mark.parametrize(
    "answer",
    [completion('{"city"', "length"), completion(None, "content_filter"), asked_for("f", "{}")],
    ids=["truncated", "filtered", "a call of a tool"],
)
def test_an_answer_that_is_none_yet_is_not_judged_by_its_form(answer):
    assert format_kept(call("openai.chat", WAYS["chat"][1], answer)) is None


def test_nothing_is_asked_where_nothing_is_said():
    assert format_kept(call("openai.chat", {"messages": USER}, completion("Oslo!"))) is None


@pytest.mark.parametrize("value", [None, [], "json", 7, {"type": 3}, {"type": "text"}])
def test_strange_demands_are_none(value):
    assert form_of("openai.chat", {"response_format": value, "text": value}).kind == ""
