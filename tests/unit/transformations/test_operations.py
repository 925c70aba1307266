"""Operations as they are written down: what is wrong is said, and where."""

from datetime import date
from typing import Any

import pytest

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import plain, read_operations
from tests.unit.transformations.done import FEW_SHOT, SCHEMA

GOOD: list[dict[str, Any]] = [
    {"op": "set", "parameter": "max_tokens", "value": 1},
    {"op": "clamp", "parameter": "temperature", "min": 0, "max": 1.5},
    {"op": "drop", "parameter": "/metadata/x"},
    {"op": "prepend_system", "text": "a\nb"},
    {"op": "replace_text", "role": "user", "find": "a", "replacement": ""},
    {"op": "replace_text", "role": "tool", "pattern": "(a)", "replacement": r"\1"},
    FEW_SHOT,
    {"op": "cache_breakpoint", "at": -1, "ttl": "1h", "move": True},
    {"op": "model", "to": "vendor/model:1"},
    {"op": "response_format", "type": "json_schema", "schema": SCHEMA},
    {"op": "drop_tools", "names": ["a*"]},
    {"op": "add_tools", "tools": [{"name": "t", "parameters": SCHEMA}]},
    {"op": "add_header", "name": "x-team", "value": "v"},
]


def test_they_go_to_json_and_back():
    assert plain(read_operations(GOOD)) == GOOD
    assert read_operations(plain(read_operations(GOOD))) == read_operations(GOOD)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"op": "clampp"}, "clampp"),
        ({}, "logic"),
        ({"op": "set", "parameter": "maxtokens", "value": 1}, "one of max_tokens"),
        ({"op": "set", "parameter": "/stream", "value": True}, "program's own"),
        ({"op": "set", "parameter": "/a~2", "value": 1}, "JSON pointer"),
        ({"op": "clamp", "parameter": "seed"}, "`min`, `max` or both"),
        ({"op": "clamp", "parameter": "seed", "min": 2, "max": 1}, "not above"),
        ({"op": "clamp", "parameter": "seed", "min": float("nan")}, "finite"),
        ({"op": "clamp", "parameter": "max_tokens", "max": 0}, "from 1 to"),
        ({"op": "clamp", "parameter": "max_tokens", "max": 1.5}, "whole number"),
        ({"op": "clamp", "parameter": "stop_sequences", "max": 1}, "that is a number"),
        ({"op": "set", "parameter": "max_tokens", "value": True}, "whole number"),
        ({"op": "set", "parameter": "temperature", "value": 3}, "from 0.0 to 2.0"),
        ({"op": "set", "parameter": "stop_sequences", "value": "x"}, "list of texts"),
        ({"op": "set", "parameter": "reasoning_effort", "value": 1}, "a word"),
        ({"op": "set", "parameter": "/a", "value": float("nan")}, "what JSON has"),
        ({"op": "set", "parameter": "/a", "value": 10**30}, "what JSON has"),
        ({"op": "set", "parameter": "/a", "value": "\ud800"}, "what JSON has"),
        ({"op": "set", "parameter": "/a", "value": [date(2026, 1, 1)]}, "what JSON has"),
        ({"op": "set", "parameter": "/a", "value": "x" * 2**20}, "what JSON has"),
        ({"op": "set", "parameter": "/stream/x", "value": 1}, "program's own"),
        ({"op": "drop", "parameter": "/messages"}, "are needed"),
        ({"op": "append_system", "text": ""}, "1 to 100000"),
        ({"op": "replace_text", "role": "user", "replacement": "x"}, "one of them"),
        ({"op": "replace_text", "role": "user", "pattern": "(", "replacement": ""}, "RE2"),
        ({"op": "replace_text", "role": "user", "pattern": "a", "replacement": r"\1"}, "groups"),
        ({"op": "replace_text", "role": "user", "pattern": "a", "replacement": "\\"}, "groups"),
        ({"op": "add_messages", "messages": [*FEW_SHOT["messages"]][:1]}, "at least 2"),
        ({"op": "cache_breakpoint", "at": "messages"}, "at"),
        ({"op": "model", "to": "a b"}, "model's name"),
        ({"op": "model", "to": "a/../b"}, "model's name"),
        ({"op": "model", "to": ".."}, "model's name"),
        ({"op": "response_format", "type": "json_schema"}, "`schema`"),
        ({"op": "response_format", "type": "json_object", "schema": {}}, "`schema`"),
        ({"op": "add_tools", "tools": [{"name": "a b"}]}, "tool's name"),
        ({"op": "add_tools", "tools": [{"name": "a"}, {"name": "a"}]}, "name of their own"),
        ({"op": "add_tools", "tools": [{"name": "a", "parameters": {}}]}, "object"),
        ({"op": "add_header", "name": "x-a", "value": "b "}, "printable"),
        ({"op": "add_header", "name": "Keep-Alive", "value": "b"}, "a header's name"),
        ({"op": "drop", "parameter": "seed", "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(operation, said):
    with pytest.raises(ConfigError) as error:
        read_operations([operation])
    assert said in str(error.value)


def test_no_operation_is_none():
    with pytest.raises(ConfigError):
        read_operations([])
    with pytest.raises(ConfigError, match="list of tables"):
        read_operations([1])  # type: ignore[list-item]
