"""What operations make of requests is what the types of the providers' own SDKs allow."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages.batch_create_params import BatchCreateParams
from google.genai import types as google
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming as ChatParams,
)
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.input_token_count_params import InputTokenCountParams
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from tests.unit.transformations.done import FEW_SHOT, SCHEMA, applied
from tests.unit.transformations.typed import fault

BLOCK = {"type": "text", "text": "x"}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 100}
USER = {"role": "user", "content": "x"}
TURNS = [USER, {"role": "assistant", "content": "y"}, {"role": "user", "content": [BLOCK]}]
THOUGHTS = {"type": "thinking", "thinking": "t", "signature": "s"}
WITH_TOOLS = [
    USER,
    {
        "role": "assistant",
        "content": [THOUGHTS, {"type": "tool_use", "id": "1", "name": "get", "input": {}}],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "1", "content": "x"}, IMAGE],
    },
]
OFFERED = [{"name": "get", "description": "d", "input_schema": SCHEMA}]
FUNCTION = {"name": "get", "description": "d", "parameters": SCHEMA}
CALLED = {"id": "1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
CHAT_TURNS = [
    *TURNS[:2],
    {"role": "user", "content": [BLOCK, {"type": "image_url", "image_url": {"url": "data:x"}}]},
    {"role": "assistant", "tool_calls": [CALLED]},
    {"role": "tool", "tool_call_id": "1", "content": "x"},
]
ITEMS = [
    USER,
    {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "e"},
    {"type": "function_call", "call_id": "1", "name": "get", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "1", "output": "x"},
]
PARTS = [{"role": "user", "parts": [{"text": "x"}]}]
GEMINI_TOOLS = [{"functionDeclarations": [FUNCTION]}]


def google_fault(value: dict[str, Any]) -> str:
    """Google's SDK has no type for a body: its parts are looked at by the types that there are."""
    parts = {
        "contents": list[google.Content],
        "systemInstruction": google.Content,
        "tools": list[google.Tool],
        "toolConfig": google.ToolConfig,
        "generationConfig": google.GenerationConfig,
    }
    if value.keys() - parts.keys():
        return f"{value.keys() - parts.keys()}"
    for key, kind in parts.items():
        if key in value:
            TypeAdapter(kind).validate_python(value[key])
    return ""


def of(kind: Any) -> Callable[[Any], str]:
    return lambda value: fault(value, kind)


REQUESTS: dict[str, tuple[str, Callable[[Any], str], list[dict[str, Any]]]] = {
    "anthropic.messages": (
        "anthropic.messages",
        of(MessageCreateParamsNonStreaming),
        [
            CLAUDE | {"messages": [USER]},
            CLAUDE | {"messages": TURNS, "system": "x", "tools": OFFERED},
            CLAUDE
            | {
                "messages": WITH_TOOLS,
                "system": [BLOCK, BLOCK | {"cache_control": {"type": "ephemeral"}}],
                "tools": OFFERED,
                "tool_choice": {"type": "tool", "name": "get"},
            },
        ],
    ),
    "anthropic.count_tokens": (
        "anthropic.count_tokens",
        of(MessageCountTokensParams),
        [
            {"model": "m", "messages": TURNS, "system": [BLOCK], "tools": OFFERED},
            {"model": "m", "messages": [USER]},
        ],
    ),
    "anthropic.batches": (
        "anthropic.batches",
        of(BatchCreateParams),
        [
            {
                "requests": [
                    {"custom_id": "1", "params": CLAUDE | {"messages": TURNS}},
                    {"custom_id": "2", "params": CLAUDE | {"messages": [USER], "system": "x"}},
                ]
            }
        ],
    ),
    "openai.chat": (
        "openai.chat",
        of(ChatParams),
        [
            {"model": "gpt-4o", "messages": [USER]},
            {"model": "gpt-5", "messages": [{"role": "developer", "content": "x"}, *CHAT_TURNS]},
            {
                "model": "gpt-4o",
                "max_tokens": 9,
                "messages": [{"role": "system", "content": [BLOCK]}, *CHAT_TURNS],
                "tools": [{"type": "function", "function": FUNCTION}],
                "tool_choice": {"type": "function", "function": {"name": "get"}},
            },
        ],
    ),
    "openai.responses": (
        "openai.responses",
        of(ResponseCreateParamsNonStreaming),
        [
            {"model": "gpt-5", "input": "x"},
            {"model": "gpt-5", "instructions": "x", "input": [USER]},
            {
                "model": "gpt-5",
                "input": [{"role": "developer", "content": "x"}, *ITEMS],
                "tools": [{"type": "function", "strict": True, **FUNCTION}],
                "tool_choice": {"type": "function", "name": "get"},
            },
        ],
    ),
    "openai.responses.input_tokens": (
        "openai.responses.input_tokens",
        of(InputTokenCountParams),
        [
            {"model": "gpt-5", "input": "x"},
            {"model": "gpt-5", "instructions": "x", "input": [USER]},
        ],
    ),
    "openai.completions": (
        "openai.completions",
        of(CompletionCreateParamsNonStreaming),
        [
            {"model": "gpt-3.5-turbo-instruct", "prompt": "x"},
            {"model": "gpt-3.5-turbo-instruct", "prompt": ["x", "y"], "max_tokens": 9},
        ],
    ),
    "gemini": (
        "gemini",
        google_fault,
        [
            {"contents": PARTS},
            {"contents": PARTS, "systemInstruction": {"parts": [{"text": "x"}]}},
            {
                "contents": [
                    *PARTS,
                    {
                        "role": "model",
                        "parts": [
                            {
                                "functionCall": {"name": "get", "args": {}},
                                "thoughtSignature": "c2ln",
                            }
                        ],
                    },
                    {
                        "role": "user",
                        "parts": [
                            {"functionResponse": {"name": "get", "response": {"output": "x"}}}
                        ],
                    },
                ],
                "tools": GEMINI_TOOLS,
                "generationConfig": {"maxOutputTokens": 9, "temperature": 0.3},
                "toolConfig": {
                    "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get"]}
                },
            },
        ],
    ),
}
NUMBERS: dict[str, Any] = {
    "max_tokens": 50,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "stop_sequences": ["END"],
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "seed": 7,
    "choice_count": 2,
    "reasoning_effort": "low",
}
OPERATIONS: list[dict[str, Any]] = [
    *({"op": "set", "parameter": name, "value": value} for name, value in NUMBERS.items()),
    {"op": "clamp", "parameter": "max_tokens", "max": 5},
    {"op": "drop", "parameter": "temperature"},
    *({"op": op, "text": "New."} for op in ("prepend_system", "append_system", "replace_system")),
    *(
        {"op": "replace_text", "role": role, "find": "x", "replacement": 'a "b"'}
        for role in ("system", "user", "assistant", "tool")
    ),
    FEW_SHOT,
    *(
        {"op": "cache_breakpoint", "at": place, "ttl": ttl, "move": True}
        for place in ("tools", "system", 0, -1)
        for ttl in ("5m", "1h")
    ),
    {"op": "model", "to": "other-1"},
    {"op": "response_format", "type": "json_object"},
    {"op": "response_format", "type": "json_schema", "schema": SCHEMA},
    {"op": "drop_tools", "names": ["get"]},
    {"op": "add_tools", "tools": [{"name": "new", "description": "d", "parameters": SCHEMA}]},
    {"op": "add_tools", "tools": [{"name": "bare"}]},
]


BEYOND = {
    "anthropic": {
        "temperature",
        "top_p",
        "top_k",
    },  # its SDK has dropped them; older models take them
    "openai.chat": {"top_k"},  # of others who speak this format
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_of_these_tests_are_what_the_sdk_allows(name: str):
    _, wrong, bodies = REQUESTS[name]
    assert [wrong(body) for body in bodies] == [""] * len(bodies)
    assert wrong({**bodies[0], "bogus": 1})


def _is_known(wire: str, operation: dict[str, Any]) -> bool:
    beyond = next((some for start, some in BEYOND.items() if wire.startswith(start)), set())
    return operation["op"] != "set" or operation["parameter"] not in beyond


@pytest.mark.parametrize(
    ("name", "operation"),
    [(name, one) for name in REQUESTS for one in OPERATIONS if _is_known(name, one)],
    ids=lambda one: json.dumps(one)[:60] if isinstance(one, dict) else one,
)
def test_what_is_made_is_what_the_sdk_allows(name: str, operation: dict[str, Any]):
    wire, wrong, bodies = REQUESTS[name]
    for body in bodies:
        made = applied(wire, body, operation)
        assert wrong(json.loads(made.body)) == "", made.notes


@pytest.mark.parametrize("name", REQUESTS)
def test_most_operations_are_done(name: str):
    """Else the test above would say nothing."""
    wire, _, bodies = REQUESTS[name]
    changed = sum(any(applied(wire, one, step).edits for one in bodies) for step in OPERATIONS)
    few = ("openai.completions", "openai.responses.input_tokens", "anthropic.count_tokens")
    assert changed >= (8 if name in few else 17)
