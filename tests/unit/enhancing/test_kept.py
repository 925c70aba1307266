"""What is told at a glance of a cached prefix is what reading all of it tells."""

import json
from typing import Any

import pytest

from llmproxy_core.enhancing.kept import UNKNOWN, prefix_kept
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.applying import apply
from llmproxy_core.transformations.cached_prefix import cached_prefix_kept

TEXT = "You are a careful assistant of a shop, and you never promise what you cannot do. " * 40
TOOLS = [{"name": f"tool_{n}", "description": TEXT} for n in range(3)]
TURNS = [
    {"role": role, "content": f"{TEXT} {n}"} for n in range(3) for role in ("user", "assistant")
]
ANTHROPIC: dict[str, Any] = {
    "model": "m", "max_tokens": 5000, "messages": [*TURNS, {"role": "user", "content": "ok"}],
    "system": TEXT, "tools": [{**one, "input_schema": {}} for one in TOOLS],
}  # fmt: skip
BLOCKS = ANTHROPIC | {"system": [{"type": "text", "text": TEXT}, {"type": "text", "text": "More."}]}
OPENAI: dict[str, Any] = {
    "messages": [{"role": "system", "content": TEXT}, *TURNS], "model": "m", "max_tokens": 5000,
    "tools": [{"type": "function", "function": {**one, "parameters": {}}} for one in TOOLS],
}  # fmt: skip
GEMINI: dict[str, Any] = {
    "contents": [
        {"role": "model" if one["role"] == "assistant" else "user", "parts": [{"text": one["content"]}]}
        for one in TURNS
    ],
    "systemInstruction": {"parts": [{"text": TEXT}]},
    "tools": [{"functionDeclarations": TOOLS}],
}  # fmt: skip
BODIES = {
    "anthropic": ("anthropic.messages", ANTHROPIC),
    "anthropic, blocks": ("anthropic.messages", BLOCKS),
    "anthropic, no system": ("anthropic.messages", {**ANTHROPIC, "system": None}),
    "openai": ("openai.chat", OPENAI),
    "gemini": ("gemini", GEMINI),
    "gemini, in an envelope": ("gemini", {"model": "m", "request": GEMINI}),
}
FEW_SHOT = [{"role": "user", "text": "1+1"}, {"role": "assistant", "text": "2"}]
OPERATIONS: dict[str, dict[str, Any]] = {
    "set": {"op": "set", "parameter": "temperature", "value": 1},
    "clamp": {"op": "clamp", "parameter": "max_tokens", "max": 9},
    "append": {"op": "append_system", "text": "Be brief."},
    "prepend": {"op": "prepend_system", "text": "Be brief."},
    "replace": {"op": "replace_system", "text": "Be brief."},
    "words": {"op": "replace_text", "role": "system", "find": "never", "replacement": "seldom"},
    "said": {"op": "replace_text", "role": "user", "find": "2", "replacement": "two"},
    "examples": {"op": "add_messages", "messages": FEW_SHOT},
    "tools": {"op": "add_tools", "tools": [{"name": "new"}]},
    "fewer": {"op": "drop_tools", "names": ["tool_1"]},
    "mark": {"op": "cache_breakpoint", "at": "system"},
    "mark tools": {"op": "cache_breakpoint", "at": "tools"},
    "mark turn": {"op": "cache_breakpoint", "at": -1},
    "format": {"op": "response_format", "type": "json_object"},
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", BODIES)
def test_it_is_as_if_all_were_read(kind: str, name: str):
    wire, fields = BODIES[kind]
    body = json.dumps({key: value for key, value in fields.items() if value is not None}).encode()
    made = apply(wire, "/v1", [], body, read_operations([OPERATIONS[name]]))
    assert (made.left == "elsewhere") == (not made.edits and bool(made.notes))  # not in this format
    kept = prefix_kept(body, made.edits, made.places) if made.edits else 1.0
    assert kept == pytest.approx(cached_prefix_kept(body, made.body), abs=0.02)


def test_another_model_keeps_nothing():
    body = json.dumps(ANTHROPIC).encode()
    made = apply("anthropic.messages", "/", [], body, read_operations([{"op": "model", "to": "n"}]))
    assert prefix_kept(body, made.edits, made.places) == pytest.approx(0, abs=0.01)


def test_what_cannot_be_read_is_not_known():
    body = b'{"request": {"contents": 1, "contents": 2}}'
    assert prefix_kept(body, [(0, 0, b"")], {"request": (12, len(body) - 1)}) == UNKNOWN
