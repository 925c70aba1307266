"""Twenty turns of a conversation that is changed in any way read as much from the provider's cache as
those of one that is not: as the simulated provider counts it, for every format that has a cache."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.prompt_cache import PromptCache
from llmproxy_core.simulator.prompts import Prompt
from tests.e2e.cached import RULES, SAID, TURNS, WIRES
from tests.unit.enhancing.handing import NOW, enhancer, improving, rule, sent
from tests.unit.transformations.done import FEW_SHOT, SCHEMA

KEPT = 0.95
READ: dict[str, tuple[str, Callable[[Any], Prompt]]] = {
    "anthropic": ("anthropic.messages", prompts.anthropic),
    "chat": ("openai.chat", prompts.chat),
    "responses": ("openai.responses", prompts.responses),
    "gemini": ("gemini", prompts.gemini),
    "converse": ("bedrock.converse", prompts.converse),
}
FUNCTION = {"name": "get", "description": "d", "parameters": SCHEMA}
OFFERS: dict[str, Any] = {
    "anthropic": {"tools": [{"name": "get", "input_schema": SCHEMA}, {"name": "b"}]},
    "chat": {"tools": [{"type": "function", "function": FUNCTION}]},
    "responses": {"tools": [{"type": "function", **FUNCTION}]},
    "gemini": {"tools": [{"functionDeclarations": [FUNCTION]}]},
    "converse": {
        "toolConfig": {"tools": [{"toolSpec": {"name": "get", "inputSchema": {"json": SCHEMA}}}]}
    },
}
OPERATIONS: dict[str, dict[str, Any]] = {
    "set": {"op": "set", "parameter": "temperature", "value": 0.5},
    "set anew": {"op": "set", "parameter": "max_tokens", "value": 50},
    "clamp": {"op": "clamp", "parameter": "max_tokens", "max": 5},
    "drop": {"op": "drop", "parameter": "max_tokens"},
    "prepend": {"op": "prepend_system", "text": "First."},
    "append": {"op": "append_system", "text": "Last."},
    "replace": {"op": "replace_system", "text": RULES + "Only this."},
    "words of the system": {
        "op": "replace_text", "role": "system", "find": "small", "replacement": "large",
    },
    "words of the user": {
        "op": "replace_text", "role": "user", "pattern": "(log) says", "replacement": r"\1 tells",
    },
    "words of the model": {
        "op": "replace_text", "role": "assistant", "find": "changed", "replacement": "mended",
    },
    "examples": FEW_SHOT,
    "mark tools": {"op": "cache_breakpoint", "at": "tools"},
    "mark system": {"op": "cache_breakpoint", "at": "system"},
    "mark the first": {"op": "cache_breakpoint", "at": 0},
    "move to the last": {"op": "cache_breakpoint", "at": -1, "move": True},
    "model": {"op": "model", "to": "other-1"},
    "json": {"op": "response_format", "type": "json_object"},
    "schema": {"op": "response_format", "type": "json_schema", "schema": SCHEMA},
    "fewer tools": {"op": "drop_tools", "names": ["get"]},
    "more tools": {"op": "add_tools", "tools": [{"name": "new"}]},
    "header": {"op": "add_header", "name": "x-a", "value": "b"},
}  # fmt: skip


def bodies(wire: str) -> list[bytes]:
    """Turn by turn."""
    said: list[str] = []
    found = []
    for turn in range(TURNS):
        said.append(f"Turn {turn}: {SAID}")
        found.append(json.dumps(WIRES[wire][1](said, RULES) | OFFERS[wire]).encode())
        said.append(f"I looked at it, and changed {turn} lines.")
    return found


def cached(wire: str, turns: list[Any]) -> int:
    """Tokens that are read from the cache."""
    cache = PromptCache(lambda: 0.0)
    read = READ[wire][1]
    return sum(cache.count(read(one), str(one.get("model")), "k").read for one in turns)


def blocks(read: Prompt) -> list[str]:
    return [one.text for one in (*read.head, *read.said)]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("wire", READ)
def test_a_changed_conversation_of_twenty_turns_keeps_its_cache(wire: str, name: str):
    came, one = bodies(wire), enhancer()
    what = improving(rule("r", "true", OPERATIONS[name]))
    made = [
        json.loads(sent(one, what, body, wire=READ[wire][0], at=NOW + turn).outcome.body)
        for turn, body in enumerate(came)
    ]
    untouched = cached(wire, [json.loads(body) for body in came])
    assert untouched > 10_000
    assert cached(wire, made) >= KEPT * untouched
    for before, after in pairwise(blocks(READ[wire][1](turn)) for turn in made):
        assert after[: len(before)] == before


@pytest.mark.parametrize("wire", READ)
def test_most_operations_change_something(wire: str):
    """Else the test above would say nothing."""
    body = bodies(wire)[1]
    changed = [
        name
        for name, operation in OPERATIONS.items()
        if sent(
            enhancer(), improving(rule("r", "true", operation)), body, wire=READ[wire][0]
        ).outcome.edits
    ]
    assert len(changed) >= 13
