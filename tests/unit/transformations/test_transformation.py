"""What a transformation can do is said when it is loaded."""

from typing import Any

import pytest

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import OPERATIONS
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.transformations.actions.registry import ACTIONS
from llmproxy_core.transformations.dialects.registry import DIALECTS
from llmproxy_core.transformations.transformation import Transformation, transformation


def made(when: str, *logic: dict[str, Any], name: str = "t") -> Transformation:
    table = {"name": name, "when": when, "logic": [*logic]}
    return transformation(TransformationConfig.model_validate(table))


APPEND = {"op": "append_system", "text": "N"}
BREAKPOINT = {"op": "cache_breakpoint", "at": "system"}


def test_every_operation_has_an_action():
    assert ACTIONS.keys() == OPERATIONS.keys()


def test_each_format_says_what_it_cannot_do():
    found = made("true", BREAKPOINT).check()

    assert found.keys() == {*DIALECTS, "other"}
    assert found["anthropic.messages"] == found["bedrock.invoke"] == ""
    assert "caches by itself" in found["openai.chat"]


@pytest.mark.parametrize(
    ("when", "logic", "said"),
    [
        ('provider.name == "openai"', BREAKPOINT, "caches by itself"),
        ('provider.name in ["google", "cohere"] and model != "x"', BREAKPOINT, "caches by itself"),
        (
            'wire == "anthropic.messages"',
            {"op": "response_format", "type": "json_object"},
            "schema",
        ),
        ('wire == "openai.embeddings"', APPEND, "no system prompt"),
        (
            'wire == "anthropic.messages"',
            {"op": "set", "parameter": "temperature", "value": 1.5},
            "a temperature of 1 at most",
        ),
        (
            'wire == "openai.chat"',
            {"op": "add_tools", "tools": [{"name": "a.b"}]},
            "no dots in the names of tools",
        ),
        ('wire == "unknown"', APPEND, "no system prompt"),
        (
            'wire == "bedrock.converse"',
            {"op": "set", "parameter": "top_k", "value": 1},
            "no parameter top_k",
        ),
    ],
)
def test_one_that_can_be_done_nowhere_is_an_error(when, logic, said):
    with pytest.raises(ConfigError, match=said):
        made(when, logic)


def test_what_may_be_elsewhere_is_no_error():
    assert made('provider.name == "openrouter"', BREAKPOINT).fits("anthropic.messages")
    assert not made('provider.name == "openai" or true', BREAKPOINT).fits("openai.chat")


def test_operations_must_all_be_possible_in_one_format():
    both = made("true", BREAKPOINT, {"op": "set", "parameter": "seed", "value": 1})
    assert both.wires == {"bedrock.count_tokens", "anthropic.count_tokens"}


def test_pointers_and_headers_reach_formats_that_nobody_knows():
    pointer = {"op": "set", "parameter": "/a", "value": 1}
    assert made("true", pointer).fits("some.new.format")
    assert not made("true", APPEND).fits("some.new.format")
