"""A provider that wants a prefix refuses every place where a name has none, and no other."""

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from llmproxy_core.simulator import Simulator

PREFIX = "pay__"
CALL = {"name": "pay__find", "arguments": "{}"}
CHAT = {
    "model": "gpt-5",
    "tools": [
        {"type": "function", "function": {"name": "pay__find", "parameters": {}}},
        {"type": "custom", "custom": {"name": "pay__say"}},
        {"type": "web_search"},
    ],
    "functions": [{"name": "pay__find"}],
    "function_call": {"name": "pay__find"},
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "auto",
            "tools": [{"type": "function", "function": {"name": "pay__find"}}],
        },
    },
    "messages": [
        {"role": "user", "content": "find it", "name": "anna"},
        {"role": "assistant", "function_call": CALL},
        {"role": "function", "name": "pay__find", "content": "1"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {**CALL}},
                {"id": "c2", "type": "custom", "custom": {"name": "pay__say", "input": ""}},
            ],
        },
        {"role": "tool", "name": "pay__find", "tool_call_id": "c1", "content": "find"},
    ],
}
RESPONSES = {
    "model": "gpt-5",
    "tools": [{"type": "function", "name": "pay__find"}, {"type": "web_search", "name": "find"}],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "pay__find"}],
    },
    "input": [
        {
            "type": "additional_tools",
            "tools": [
                {
                    "type": "namespace",
                    "name": "functions",
                    "tools": [{"type": "custom", "name": "pay__say"}],
                }
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "pay__find", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "d", "name": "pay__say", "input": ""},
        {"type": "mcp_call", "name": "find"},
        {"type": "function_call_output", "call_id": "c", "output": "find"},
    ],
}
ANTHROPIC = {
    "model": "claude-opus-5-5",
    "max_tokens": 9,
    "tools": [
        {"name": "pay__find", "input_schema": {"type": "object"}},
        {"type": "custom", "name": "pay__say", "input_schema": {"type": "object"}},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    "tool_choice": {"type": "tool", "name": "pay__find"},
    "messages": [
        {"role": "user", "content": "find"},
        {
            "role": "assistant",
            "content": [
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                {"type": "tool_use", "id": "t", "name": "pay__find", "input": {"name": "find"}},
                {"type": "tool_use", "id": "u", "name": "bash", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "tool_reference", "tool_name": "pay__say"}],
                }
            ],
        },
    ],
}
GEMINI = {
    "tools": [{"functionDeclarations": [{"name": "pay__find"}]}, {"googleSearch": {}}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["pay__find"]}},
    "contents": [
        {"role": "user", "parts": [{"text": "find"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "pay__find", "args": {}}}]},
        {
            "role": "user",
            "parts": [{"function_response": {"name": "pay__find", "response": {"name": "x"}}}],
        },
    ],
}
BEDROCK = {
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "pay__find", "inputSchema": {"json": {}}}},
            {"systemTool": {"name": "nova_grounding"}},
        ],
        "toolChoice": {"tool": {"name": "pay__find"}},
    },
    "messages": [
        {"role": "user", "content": [{"text": "find"}]},
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "t", "name": "pay__find", "input": {"name": "find"}}},
                {"toolUse": {"type": "server_tool_use", "name": "nova_grounding", "input": {}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": []}}]},
    ],
}
OLLAMA = {
    "model": "qwen3",
    "stream": False,
    "tools": [{"type": "function", "function": {"name": "pay__find", "parameters": {}}}],
    "messages": [
        {"role": "assistant", "tool_calls": [{"function": {"name": "pay__find"}}]},
        {"role": "tool", "tool_name": "pay__find", "content": "find"},
    ],
}
WIRES: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", CHAT),
    "responses": ("/v1/responses", RESPONSES),
    "anthropic": ("/v1/messages", ANTHROPIC),
    "gemini": ("/v1beta/models/gemini-3.8-flash:generateContent", GEMINI),
    "bedrock": ("/model/amazon.nova-pro-v1%3A0/converse", BEDROCK),
    "ollama": ("/api/chat", OLLAMA),
}


@pytest.fixture(scope="module")
def client():
    with (
        Simulator(required_prefix=PREFIX) as provider,
        httpx.Client(base_url=provider.http_url, trust_env=False, timeout=60) as client,
    ):
        yield client


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Of all strings that begin with the prefix."""
    if isinstance(value, str) and value.startswith(PREFIX):
        yield at
    inside = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else inside:
        yield from places(inner, (*at, key))


PLACES = [(wire, at) for wire, (_, body) in WIRES.items() for at in places(body)]


def told(answer: httpx.Response) -> str:
    """The text of an error of any shape."""
    said = answer.json()
    error = said.get("error", said)
    return error if isinstance(error, str) else error["message"]


@pytest.mark.parametrize("wire", WIRES)
def test_names_with_the_prefix_and_names_that_the_provider_owns_are_taken(client, wire):
    path, body = WIRES[wire]

    answer = client.post(path, json=body)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("wire", "at"), PLACES)
def test_a_name_without_the_prefix_is_refused_with_its_place(client, wire, at):
    path, body = WIRES[wire]
    body = copy.deepcopy(body)
    *way, last = at
    inner = body
    for key in way:
        inner = inner[key]
    inner[last] = inner[last].removeprefix(PREFIX)

    answer = client.post(path, json=body)

    assert answer.status_code == 400
    said = told(answer)
    assert f"{inner[last]!r} does not begin with 'pay__'" in said
    assert all(f"[{key}]" in said for key in at if isinstance(key, int))


@pytest.mark.parametrize(("wire", "longest"), [("chat", 64), ("anthropic", 128), ("gemini", 64)])
def test_a_name_may_be_as_long_as_the_provider_says(client, wire, longest):
    path, body = WIRES[wire]
    name = PREFIX + "n" * (longest - len(PREFIX))
    fits = json.dumps(body).replace("pay__find", name)

    assert client.post(path, content=fits).status_code == 200
    answer = client.post(path, content=fits.replace(name, f"{name}n"))
    assert answer.status_code == 400
    assert f"longer than {longest}" in told(answer)


def test_a_request_may_say_that_it_wants_no_judge(client):
    body = {"model": "gpt-5", "messages": [], "functions": [{"name": "find"}]}
    headers = {"x-simulate": "required_prefix="}

    assert client.post("/v1/chat/completions", json=body).status_code == 400
    assert client.post("/v1/chat/completions", json=body, headers=headers).status_code == 200


def test_a_call_that_gemini_signed_is_refused_under_another_name(client):
    path, body = WIRES["gemini"]
    said = client.post(path, json=body).json()["candidates"][0]["content"]
    signed = said["parts"][0]
    back = {**body, "contents": [*body["contents"], said]}
    assert client.post(path, json=back).status_code == 200

    signed["functionCall"]["name"] = "pay__other"

    assert "thoughtSignature" in told(client.post(path, json=back))


def test_a_body_that_was_changed_after_it_was_signed_is_refused(client):
    path, body = WIRES["bedrock"]
    signed = json.dumps(body).encode()
    headers = {"x-amz-content-sha256": hashlib.sha256(signed).hexdigest()}

    assert client.post(path, content=signed, headers=headers).status_code == 200
    assert client.post(path, content=signed + b" ", headers=headers).status_code == 403
