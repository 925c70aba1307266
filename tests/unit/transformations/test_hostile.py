"""Requests of very many parts: every operation takes linear time, or leaves them alone."""

import json
import time
from typing import Any

import pytest

from llmproxy_core.namespace.outgoing import edited
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.applying import apply
from tests.unit.transformations.test_applying import EACH

pytestmark = pytest.mark.system

MOST = 8000
SECONDS = 2.0
"""CPU of one operation: 0.4 at most where time is linear, and far more where it is not."""
MARK = {"cache_control": {"type": "ephemeral"}}
POINT = {"cachePoint": {"type": "default"}}
BLOCK = {"type": "text", "text": "x"}
USER = {"role": "user", "content": "foo x"}


def tool(number: int) -> dict[str, Any]:
    name = f"x{number}"
    return {"type": "function", "name": name, "function": {"name": name, "parameters": {}}}


def nested(before: str, after: str) -> bytes:
    return (f'{{"messages":{before * MOST}' + f"{after * MOST}}}").encode()


MANY: dict[str, tuple[str, Any]] = {
    "blocks of the system": ("anthropic.messages", {"system": [BLOCK] * MOST, "messages": [USER]}),
    "marks": ("anthropic.messages", {"system": [BLOCK | MARK] * MOST, "messages": [USER]}),
    "marked messages": (
        "anthropic.messages",
        {"messages": [{"role": "user", "content": [BLOCK | MARK]}] * MOST},
    ),
    "blocks of a message": (
        "anthropic.messages",
        {"messages": [{"role": "user", "content": [BLOCK] * MOST}]},
    ),
    "messages of the system": (
        "openai.chat",
        {"messages": [{"role": "system", "content": [BLOCK]}] * MOST},
    ),
    "messages": ("openai.chat", {"messages": [USER] * MOST}),
    "tools": ("openai.chat", {"messages": [USER], "tools": [tool(n) for n in range(MOST)]}),
    "equal tools": ("openai.responses", {"input": "x", "tools": [tool(1)] * MOST}),
    "items": ("openai.responses", {"input": [USER] * MOST}),
    "sealed items": (
        "openai.responses",
        {"input": [{"type": "reasoning", "encrypted_content": "x"}] * MOST},
    ),
    "parts": (
        "gemini",
        {
            "contents": [{"role": "user", "parts": [{"text": "x"}] * MOST}],
            "systemInstruction": {"parts": [{"text": "x"}] * MOST},
        },
    ),
    "cache points": (
        "bedrock.converse",
        {
            "system": [POINT] * MOST,
            "messages": [{"role": "user", "content": [{"text": "x"}, POINT]}] * (MOST // 2),
        },
    ),
    "a history": (
        "cohere.chat",
        {"message": "x", "chat_history": [{"role": "USER", "message": "x"}] * MOST},
    ),
    "requests": (
        "anthropic.batches",
        {"requests": [{"params": {"max_tokens": 5, "messages": [USER]}}] * (MOST // 10)},
    ),
    "keys": ("openai.chat", {f"k{n}": 1 for n in range(MOST)} | {"messages": [USER]}),
    "places": ("openai.chat", {"messages": [{"role": "user", "content": "x" * MOST * 10}]}),
    "escapes": ("openai.chat", {"messages": [{"role": "user", "content": 'é\n"x' * MOST}]}),
    "brackets": ("openai.chat", nested("[", "]")),
    "braces": ("openai.chat", nested('{"a":', "}")),
    "blanks": ("openai.chat", b'{"messages":' + b" " * MOST * 10 + b"[" + b" \n" * MOST * 10 + b"]}"),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_every_operation_takes_linear_time(name: str):
    wire, value = MANY[name]
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    for one in EACH:
        logic = read_operations([one])
        begun = time.process_time()
        made = apply(wire, "/v1/models/x:y", [], raw, logic)
        assert time.process_time() - begun < SECONDS, one
        assert made.body is raw if made.left else edited(raw, made.edits) == made.body
