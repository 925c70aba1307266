"""How much of a cached prompt a change keeps."""

import json
from typing import Any

import pytest

from llmproxy_core.transformations.cached_prefix import cached_prefix_kept
from tests.unit.transformations.done import FEW_SHOT, applied

LONG = "You are a careful assistant of a shop. " * 20
BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}],
    "system": LONG,
    "tools": [{"name": "a", "description": LONG}],
}


def kept(*operations: dict[str, Any], wire: str = "anthropic.messages", body: Any = BODY) -> float:
    made = applied(wire, body, *operations)
    assert not made.left
    return cached_prefix_kept(json.dumps(body).encode(), made.body)


def test_all_is_kept_where_no_prompt_changes():
    assert kept({"op": "set", "parameter": "max_tokens", "value": 1}) == 1.0
    assert kept({"op": "add_header", "name": "x", "value": "y"}) == 1.0


@pytest.mark.parametrize("place", ["system", "tools", -1])
def test_cache_breakpoints_are_no_part_of_what_is_cached(place):
    assert kept({"op": "cache_breakpoint", "at": place}) == 1.0


def test_what_stands_before_the_change_is_kept_in_the_providers_order():
    append = kept({"op": "append_system", "text": "N"})
    prepend = kept({"op": "prepend_system", "text": "N"})
    shot = kept(FEW_SHOT)
    tools = kept({"op": "add_tools", "tools": [{"name": "new"}]})

    assert 1 > shot > append > 0.9 > prepend > tools > 0.4
    assert kept({"op": "drop_tools", "names": "*"}) < 0.02


def test_another_model_has_another_cache():
    assert kept({"op": "model", "to": "n"}) < 0.01


def test_another_schema_comes_before_all_else_at_openais():
    schema = {"op": "response_format", "type": "json_object"}
    body = {"messages": [{"role": "system", "content": LONG}]}
    assert kept(schema, wire="openai.chat", body=body) == 0.0


def test_the_next_turn_of_a_changed_conversation_finds_all_of_the_turn_before():
    append = {"op": "append_system", "text": "N"}
    messages = [*BODY["messages"], {"role": "user", "content": "more"}]
    turns = [
        applied("anthropic.messages", one, append) for one in (BODY, BODY | {"messages": messages})
    ]

    assert cached_prefix_kept(turns[0].body, turns[1].body) == 1.0


def test_what_cannot_be_read_is_not_kept_and_an_empty_prompt_is():
    deep = b'{"messages":' + b"[" * 900 + b"]" * 900 + b"}"

    assert cached_prefix_kept(b"no", b"{}") == cached_prefix_kept(b"{}", b"[]") == 0.0
    assert cached_prefix_kept(b"{}", b'{"temperature":1}') == 1.0
    assert 0.0 <= cached_prefix_kept(deep, deep) <= 1.0
