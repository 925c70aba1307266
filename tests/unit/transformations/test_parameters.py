"""Parameters by their common names, whatever a format calls them, or by JSON pointers."""

from typing import Any

import pytest

from llmproxy_core.providers.formats import read_request
from tests.unit.transformations.done import applied, done, left

SET = {"op": "set", "parameter": "max_tokens", "value": 9}
PLACES = [
    ("openai.chat", {"messages": []}, {"max_tokens": 9}),
    ("openai.chat", {"model": "gpt-5-mini"}, {"max_completion_tokens": 9}),
    ("openai.chat", {"model": "openai/o3"}, {"max_completion_tokens": 9}),
    ("openai.chat", {"max_completion_tokens": 5}, {"max_completion_tokens": 9}),
    ("openai.completions", {}, {"max_tokens": 9}),
    ("openai.responses", {}, {"max_output_tokens": 9}),
    ("anthropic.messages", {}, {"max_tokens": 9}),
    ("gemini", {}, {"generationConfig": {"maxOutputTokens": 9}}),
    ("gemini", {"generation_config": {}}, {"generation_config": {"maxOutputTokens": 9}}),
    (
        "gemini",
        {"generation_config": {"max_output_tokens": 1}},
        {"generation_config": {"max_output_tokens": 9}},
    ),
    ("gemini", {"request": {}}, {"request": {"generationConfig": {"maxOutputTokens": 9}}}),
    ("bedrock.converse", {}, {"inferenceConfig": {"maxTokens": 9}}),
    ("bedrock.invoke", {"anthropic_version": "x"}, {"max_tokens": 9}),
    (
        "bedrock.invoke",
        {"inferenceConfig": {"max_new_tokens": 1}},
        {"inferenceConfig": {"max_new_tokens": 9}},
    ),
    ("ollama.chat", {"options": {"seed": 1}}, {"options": {"seed": 1, "num_predict": 9}}),
    ("cohere.chat", {"message": "x"}, {"max_tokens": 9}),
    ("gemini.live", {"setup": {}}, {"setup": {"generationConfig": {"maxOutputTokens": 9}}}),
    ("openai.responses.websocket", {"type": "response.create"}, {"max_output_tokens": 9}),
]


@pytest.mark.parametrize(("wire", "body", "more"), PLACES)
def test_max_tokens_is_set_where_the_format_has_it(wire, body, more):
    assert done(wire, body, SET) == {**body, **more}


@pytest.mark.parametrize(("wire", "body", "more"), PLACES)
def test_what_was_set_is_clamped_dropped_and_otherwise_left(wire, body, more):
    made = applied(wire, body, SET)

    assert not applied(wire, made.body, SET).edits
    assert not applied(wire, made.body, {**SET, "missing_only": True, "value": 1}).edits
    clamped = applied(wire, made.body, {"op": "clamp", "parameter": "max_tokens", "max": 3})
    assert clamped.body == made.body.replace(b"9", b"3")
    dropped = applied(wire, made.body, {"op": "drop", "parameter": "max_tokens"})
    assert b"9" not in dropped.body


@pytest.mark.parametrize(
    ("value", "after"), [(1, 2), (3, 3), (7, 5), (2.5, 2.5), ("7", "7"), (True, True), (None, None)]
)
def test_only_numbers_are_clamped(value, after):
    clamp = {"op": "clamp", "parameter": "/temperature", "min": 2, "max": 5}
    assert done("openai.chat", {"temperature": value}, clamp) == {"temperature": after}


def test_where_no_number_is_sent_there_is_nothing_to_clamp():
    clamp = {"op": "clamp", "parameter": "max_tokens", "max": 5}
    assert left("openai.chat", {"messages": []}, clamp) == ""


def test_tokens_without_end_are_clamped_at_ollamas():
    body = {"options": {"num_predict": -1}}
    for bound, after in (({"max": 5}, 5), ({"min": 5}, -1)):
        clamp = {"op": "clamp", "parameter": "max_tokens", **bound}
        assert done("ollama.chat", body, clamp)["options"]["num_predict"] == after


def test_opentelemetrys_names_mean_the_same():
    named = {"op": "set", "parameter": "gen_ai.request.stop_sequences", "value": ["x"]}
    assert done("openai.chat", {}, named) == {"stop": ["x"]}


def test_a_format_without_the_parameter_is_left_alone():
    top_k = {"op": "set", "parameter": "top_k", "value": 1}
    assert left("bedrock.converse", {}, top_k) == "elsewhere"
    assert left("unknown", {}, SET) == "elsewhere"


def test_counting_tokens_takes_no_parameters_and_does_not_mind_them():
    assert left("anthropic.count_tokens", {"messages": []}, SET) == ""


def test_room_to_think_is_not_taken_away():
    body = {"max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 4000}}
    clamp = {"op": "clamp", "parameter": "max_tokens", "max": 4000}

    assert left("anthropic.messages", body, clamp) == "refused"
    assert done("anthropic.messages", body, {**clamp, "max": 4001})["max_tokens"] == 4001


def test_pointers_reach_anything_in_any_format():
    body = {"metadata": {"a/b": [1, 2]}}
    operations: list[dict[str, Any]] = [
        {"op": "set", "parameter": "/metadata/a~1b/0", "value": {"x": 1}},
        {"op": "set", "parameter": "/new/deep", "value": "v"},
        {"op": "drop", "parameter": "/metadata/a~1b/1"},
        {"op": "drop", "parameter": "/nothing/there"},
    ]

    after = done("unknown", body, *operations)

    assert after == {"metadata": {"a/b": [{"x": 1}]}, "new": {"deep": "v"}}


@pytest.mark.parametrize(
    ("wire", "pointer"),
    [
        ("anthropic.messages", "/messages/1/content/0/thinking"),
        ("anthropic.messages", "/messages/1/role"),
        ("openai.responses", "/messages/1/content/1"),
    ],
)
@pytest.mark.parametrize("op", ["set", "drop"])
def test_pointers_do_not_reach_into_what_a_provider_has_signed(wire, pointer, op):
    thought = {"type": "thinking", "thinking": "hm", "signature": "abc"}
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": [thought, {}]}]
    value = {"value": 1} if op == "set" else {}

    assert left(wire, {"messages": turns}, {"op": op, "parameter": pointer, **value}) == "signed"


def test_beside_what_is_signed_pointers_reach():
    thought = {"type": "thinking", "thinking": "hm", "signature": "abc"}
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": [thought]}]
    change = {"op": "set", "parameter": "/messages/0/content", "value": "y"}

    assert done("anthropic.messages", {"messages": turns}, change)["messages"][0]["content"] == "y"


def test_our_own_reader_finds_parameters():
    for wire, body, _ in PLACES:
        if wire in ("gemini.live", "openai.responses.websocket"):
            continue
        made = applied(wire, body, {"op": "set", "parameter": "temperature", "value": 0.25})
        request, _ = read_request(wire, "/v1/x", [], made.body)
        assert 0.25 in request.parameters.values(), wire
