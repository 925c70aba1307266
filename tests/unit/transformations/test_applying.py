"""All operations are done, or none; what is signed stays."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.namespace.outgoing import edited
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.applying import apply
from llmproxy_core.transformations.dialects.registry import DIALECTS
from tests.unit.transformations.done import FEW_SHOT, SCHEMA, applied

BODY = b'{"model": "m", "system": "S", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}'
APPEND = {"op": "append_system", "text": "N"}
IMPOSSIBLE = {"op": "cache_breakpoint", "at": 7}
ROLES = ("system", "user", "assistant", "tool")
HEADER = {"op": "add_header", "name": "x-team", "value": "shop"}
SIGNED = [("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y")]


def test_an_operation_that_cannot_be_done_takes_all_others_with_it():
    made = applied("anthropic.messages", BODY, HEADER, APPEND, IMPOSSIBLE, path="/v1")

    assert (made.body, made.path, made.headers, made.edits) == (BODY, "/v1", [], [])
    assert (made.left, made.notes) == ("elsewhere", ["there is no message 7"])


def test_edits_lead_from_what_came_to_what_is_sent():
    made = applied("anthropic.messages", BODY, APPEND, FEW_SHOT, APPEND, {"op": "model", "to": "n"})

    assert edited(BODY, made.edits) == made.body
    assert len(made.edits) == 3


def test_a_signed_body_stays_and_headers_beside_it_do_not():
    assert applied("anthropic.messages", BODY, APPEND, headers=SIGNED).left == "signed"
    made = applied("anthropic.messages", BODY, HEADER, headers=SIGNED)
    assert made.headers == [*SIGNED, ("x-team", "shop")]
    assert made.differs("/v1/call", SIGNED)


def test_a_body_that_is_no_json_stays():
    for body in (b"", b"--boundary", b"[1]", b'{"a":1', b"\xff\xfe", b"{" * 100_000):
        assert applied("anthropic.messages", body, APPEND).left == "unreadable"


def test_the_same_request_becomes_the_same_bytes():
    operations = (APPEND, FEW_SHOT, {"op": "cache_breakpoint", "at": "system"})
    made = [applied("anthropic.messages", BODY, *operations).body for _ in range(3)]
    assert len(set(made)) == 1


def test_nothing_to_change_is_no_change():
    made = applied(
        "anthropic.messages", BODY, {"op": "clamp", "parameter": "max_tokens", "max": 10}
    )
    assert made.body is BODY
    assert not made.differs("/v1/call", [])


KEYS = st.sampled_from(
    [
        *("messages", "system", "content", "role", "type", "text", "tools", "input", "parts"),
        *("contents", "instructions", "generationConfig", "toolConfig", "cache_control", "item"),
        *("systemInstruction", "options", "session", "response", "request", "setup", "thinking"),
        *("cachePoint", "function", "functionDeclarations", "chat_history", "message", "requests"),
        *("params", "anthropic_version", "inferenceConfig", "output", "name", "budget_tokens"),
    ]
)
WORDS = st.sampled_from(
    [*("user", "assistant", "system", "model", "text", "tool_result", "response.create", "", "x")]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
EACH: list[dict[str, Any]] = [
    {"op": "set", "parameter": "max_tokens", "value": 1},
    {"op": "clamp", "parameter": "max_tokens", "max": 1},
    {"op": "drop", "parameter": "/messages/0"},
    APPEND,
    {"op": "prepend_system", "text": "P"},
    {"op": "replace_system", "text": "R"},
    *({"op": "replace_text", "role": role, "find": "x", "replacement": "y"} for role in ROLES),
    FEW_SHOT,
    *({"op": "cache_breakpoint", "at": place, "move": True} for place in ("tools", "system", -1)),
    {"op": "model", "to": "m"},
    {"op": "response_format", "type": "json_schema", "schema": SCHEMA},
    {"op": "drop_tools", "names": ["x"]},
    {"op": "add_tools", "tools": [{"name": "n"}]},
]


@pytest.mark.parametrize("wire", DIALECTS)
@settings(max_examples=25)
@given(value=st.dictionaries(KEYS, ODD, max_size=6), number=st.integers(0, len(EACH) - 1))
def test_whatever_is_in_a_request_it_stays_or_becomes_json(wire, value, number):
    raw = json.dumps(value).encode()
    for logic in (EACH[number : number + 1], EACH[: number + 1]):
        made = apply(wire, "/v1/models/x:y", [], raw, read_operations(logic))
        assert made.body is raw if made.left else edited(raw, made.edits) == made.body
        assert isinstance(json.loads(made.body), dict)


MANY = 10_000
TAKING = (
    {"op": "replace_system", "text": "R"},
    {"op": "drop_tools", "names": ["x"]},
    {"op": "cache_breakpoint", "at": "system", "move": True},
)


@pytest.mark.parametrize("operation", TAKING, ids=lambda one: str(one["op"]))
@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("anthropic.messages", {"system": [{"type": "text", "text": "x"}] * MANY, "messages": []}),
        ("openai.chat", {"messages": [{"role": "system", "content": "x"}] * MANY}),
        ("openai.responses", {"input": [{"role": "system", "content": "x"}] * MANY}),
        ("openai.chat", {"tools": [{"function": {"name": name}} for name in "xy"] * (MANY // 2)}),
        ("bedrock.converse", {"system": [{"cachePoint": {"type": "default"}}] * MANY}),
    ],
)
def test_taking_out_many_entries_takes_linear_time(wire, value, operation):
    raw, logic = json.dumps(value).encode(), read_operations([operation])
    begun = time.process_time()
    apply(wire, "/v1", [], raw, logic)
    assert time.process_time() - begun < 2
