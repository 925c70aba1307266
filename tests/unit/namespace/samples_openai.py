"""`openai.chat`, `openai.responses`, `openai.realtime`."""

import json
from typing import Any

from tests.unit.namespace.sample import ARGUMENTS, MADE, SCHEMA, Sample, T, sent

WRITTEN, TOLD = json.dumps(ARGUMENTS), json.dumps(MADE)


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


CHAT_REQUEST: dict[str, Any] = {
    "model": "weather",
    "tools": [
        function(T("weather")),
        {"function": {"name": T("untyped"), "description": "weather"}, "type": None},
        {"type": "custom", "custom": {"name": T("patch"), "format": {"type": "text"}}},
        {"type": "function", "name": T("flat"), "parameters": SCHEMA},
        {"type": "builtin_function", "function": {"name": "$web_search"}},
        {"type": "web_search", "web_search": {"name": "weather"}},
        {"type": "openrouter:web_search", "name": "search_there"},
    ],
    "tool_choice": {"type": "function", "function": {"name": T("weather")}},
    "functions": [{"name": T("legacy"), "parameters": SCHEMA}],
    "function_call": {"name": T("legacy")},
    "response_format": {"type": "json_schema", "json_schema": {"name": "weather"}},
    "metadata": {"name": "weather", "tool": "weather"},
    "messages": [
        {"role": "system", "name": "weather", "content": "weather"},
        {"role": "user", "name": "weather", "content": [{"type": "text", "text": "weather"}]},
        {
            "role": "assistant",
            "name": "weather",
            "content": None,
            "tool_calls": [
                {"id": "weather", **function(T("weather")), "index": 0},
                {"id": "2", "type": "custom", "custom": {"name": T("patch"), "input": WRITTEN}},
                {
                    "id": "3",
                    "type": "builtin_function",
                    "function": {"name": "$web_search", "arguments": WRITTEN},
                },
                {"id": "4", "function": {"name": T("gone"), "arguments": ARGUMENTS}},
            ],
        },
        {"role": "tool", "name": T("weather"), "tool_call_id": "weather", "content": WRITTEN},
        {"role": "tool", "name": "$web_search", "tool_call_id": "3", "content": "weather"},
        {"role": "assistant", "function_call": {"name": T("legacy"), "arguments": WRITTEN}},
        {"role": "function", "name": T("legacy"), "content": "weather"},
        {"content": "weather", "name": T("weather"), "role": "tool"},
    ],
}
TOOLS = {"tools": [function(T("weather"))]}
CHAT = Sample(
    [
        CHAT_REQUEST,
        {
            **TOOLS,
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [
                        {"type": "function", "function": {"name": T("weather")}},
                        {"type": "custom", "custom": {"name": T("patch")}},
                        {"type": "function", "name": T("flat")},
                    ],
                },
            },
        },
        {**TOOLS, "tool_choice": T("weather"), "function_call": T("weather")},
        {**TOOLS, "tool_choice": "auto", "function_call": "none"},
        {**TOOLS, "tool_choice": "hurricane"},
        {**TOOLS, "tool_choice": {"type": "custom", "custom": {"name": T("patch")}}},
        {**TOOLS, "tool_choice": {"type": "function", "name": T("weather")}},
        {"tool_choice": T("auto_"), "tools": [function(T("auto_"))]},
    ],
    [
        {
            "id": "pay__weather",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "pay__weather",
                        "tool_calls": [
                            {"id": "pay__weather", **function(sent("weather"))},
                            {"type": "function", "function": {"name": "weather"}},
                            {"type": "custom", "custom": {"name": sent("patch"), "input": TOLD}},
                        ],
                        "function_call": {"name": sent("legacy"), "arguments": TOLD},
                    },
                },
                {"index": 1, "message": {"tool_calls": [function(sent("second"))]}},
            ],
        },
        {
            "choices": [
                {
                    "delta": {
                        "name": "pay__weather",
                        "tool_calls": [{"index": 0, "function": {"name": sent("weather")}}],
                        "function_call": {"arguments": TOLD, "name": sent("legacy")},
                    }
                },
                {"delta": {"tool_calls": [{"custom": {"name": sent("patch")}, "type": "custom"}]}},
                {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "pay__x"}}]}},
            ]
        },
        {"error": {"message": "pay__weather", "name": "pay__weather"}},
    ],
)

INPUT = [
    {
        "type": "additional_tools",
        "role": "developer",
        "tools": [
            {"type": "function", "name": T("shell"), "parameters": SCHEMA},
            {"type": "custom", "name": T("apply_patch"), "format": {"type": "grammar"}},
            {
                "type": "namespace",
                "name": "mcp__weather",
                "tools": [{"type": "function", "name": T("browse"), "parameters": SCHEMA}],
            },
            {"type": "web_search", "filters": {"name": "weather"}},
        ],
    },
    {"type": "message", "role": "user", "name": "weather", "content": "weather"},
    {"type": "function_call", "name": T("weather"), "arguments": WRITTEN, "call_id": "weather"},
    {"type": "function_call_output", "name": T("weather"), "call_id": "weather", "output": WRITTEN},
    {"type": "custom_tool_call", "name": T("apply_patch"), "input": "weather", "call_id": "2"},
    {"type": "function_call", "name": T("browse"), "namespace": "mcp__weather"},
    {"type": "function_call", "namespace": T("weather"), "name": T("weather"), "arguments": "{}"},
    {
        "type": "tool_search_call",
        "execution": "server",
        "arguments": {"paths": ["mcp__weather", T("weather"), "unknown"], "queries": ["weather"]},
    },
    {
        "type": "tool_search_output",
        "tools": [
            {"type": "function", "name": T("later"), "defer_loading": True},
            {"type": "mcp", "server_label": "weather", "allowed_tools": ["weather"]},
        ],
    },
    {"type": "mcp_list_tools", "server_label": "x", "tools": [{"name": "ask_server"}]},
    {"type": "mcp_call", "name": "ask_server", "arguments": WRITTEN, "output": "weather"},
    {"type": "mcp_call", "name": "weather", "arguments": WRITTEN},
    {"type": "mcp_approval_request", "name": "weather", "arguments": WRITTEN},
    {"type": "file_search_call", "queries": ["weather"]},
    {"type": "local_shell_call", "action": {"name": "weather"}},
    {"name": "weather", "role": "assistant", "content": "weather"},
]
RESPONSES_REQUEST: dict[str, Any] = {
    "model": "gpt",
    "tools": [
        {"type": "function", "name": T("weather"), "parameters": SCHEMA},
        {"type": "custom", "name": T("apply_patch")},
        {"name": T("untyped"), "parameters": SCHEMA},
        {
            "type": "namespace",
            "name": "crm",
            "description": "weather",
            "tools": [
                {"type": "function", "name": T("find")},
                {"type": "custom", "name": T("note")},
            ],
        },
        {"type": "web_search"},
        {"type": "mcp", "server_label": "weather", "allowed_tools": ["weather"], "name": "theirs"},
        {"type": "tool_search"},
        {"type": "apply_patch"},
    ],
    "tool_choice": {"type": "function", "name": T("weather")},
    "text": {"format": {"type": "json_schema", "name": "weather", "schema": SCHEMA}},
    "prompt": {"id": "weather"},
    "input": INPUT,
}
CHOSEN = [
    {"type": "function", "name": T("weather")},
    {"type": "custom", "name": T("apply_patch")},
    {"type": "mcp", "server_label": "weather", "name": "weather"},
    {"type": "image_generation"},
]
CHOICES = [
    {"type": "allowed_tools", "mode": "auto", "tools": CHOSEN},
    {"type": "custom", "name": T("apply_patch")},
    {"type": "mcp", "server_label": "weather", "name": "weather"},
    "required",
    T("weather"),
]
SOME = [{"type": "function", "name": T("weather")}]
OUTPUT: list[dict[str, Any]] = [
    {"type": "message", "content": [{"type": "output_text", "text": "pay__weather"}]},
    {"type": "function_call", "name": sent("weather"), "arguments": TOLD, "call_id": "pay__x"},
    {"arguments": TOLD, "name": sent("weather"), "namespace": "crm", "type": "function_call"},
    {"namespace": sent("weather"), "name": sent("weather"), "type": "function_call"},
    {"type": "custom_tool_call", "name": sent("apply_patch"), "input": "pay__weather"},
    {"type": "tool_search_call", "arguments": {"paths": ["crm", sent("weather")]}},
    {
        "type": "tool_search_output",
        "tools": [
            {"type": "function", "name": sent("later"), "parameters": SCHEMA},
            {"type": "namespace", "name": "crm", "tools": [{"name": sent("find")}]},
        ],
    },
    {"type": "mcp_call", "name": "pay__weather", "arguments": TOLD},
    {"type": "mcp_approval_request", "name": "pay__weather", "arguments": TOLD},
    {"type": "mcp_list_tools", "tools": [{"name": "ask_server"}], "server_label": "pay__x"},
    {"type": "code_interpreter_call", "code": "pay__weather"},
]
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "tools": [
        {"type": "function", "name": sent("weather"), "parameters": SCHEMA},
        {"name": sent("weather"), "tools": [{"name": sent("weather")}], "type": "namespace"},
        {"type": "namespace", "name": "crm", "tools": [{"name": sent("find")}]},
        {"type": "mcp", "server_label": "pay__x", "allowed_tools": ["pay__x"]},
    ],
    "tool_choice": {"type": "function", "name": sent("weather")},
    "text": {"format": {"name": "pay__weather"}},
    "instructions": "pay__weather",
    "output": OUTPUT,
}
ALLOWED = {"type": "allowed_tools", "mode": "auto", "tools": [{"name": sent("weather")}]}
EVENTS: list[Any] = [
    {"type": "response.created", "response": {**RESPONSE, "output": []}},
    *[{"type": "response.output_item.added", "item": item} for item in OUTPUT],
    {"type": "response.function_call_arguments.delta", "delta": "pay__weather"},
    {"type": "response.function_call_arguments.done", "name": sent("weather"), "arguments": TOLD},
    {"type": "response.mcp_call_arguments.done", "name": "pay__weather", "arguments": TOLD},
    {"type": "response.output_text.delta", "delta": "pay__weather"},
    *[{"type": "response.output_item.done", "item": item} for item in OUTPUT],
    {"type": "response.completed", "response": {**RESPONSE, "tool_choice": ALLOWED}},
    {"type": "response.completed", "response": {"tool_choice": sent("weather")}},
    {
        "type": "response.steer.pending",
        "required_input": [{"type": "function_call_output", "name": sent("weather")}],
    },
    {
        "type": "response.steer.failed",
        "steer": {"input": [OUTPUT[1]]},
        "error": {"input": "pay__x"},
    },
    {
        "type": "response.failed",
        "response": {"error": {"message": "pay__x"}, "tool_choice": "auto"},
    },
]
ASKED = [RESPONSES_REQUEST, *[{"tools": [*SOME], "tool_choice": choice} for choice in CHOICES]]
WHOLE = [RESPONSE, {"tool_choice": "auto"}, {"tool_choice": sent("weather")}, *EVENTS]
RESPONSES = Sample(ASKED, WHOLE)
COUNTED = Sample(ASKED, [{"object": "response.input_tokens", "input_tokens": 3}])
WEBSOCKET = Sample(
    [
        *[{"type": "response.create", **request} for request in ASKED],
        *[{"type": "response.create", "response": request} for request in ASKED],
        {"type": "response.steer", "input": [INPUT[2]]},
        {"type": "response.processed", "name": "weather"},
    ],
    WHOLE,
)

SESSION: dict[str, Any] = {
    "type": "realtime",
    "model": "weather",
    "instructions": "weather",
    "tools": [
        {"type": "function", "name": T("weather"), "parameters": SCHEMA},
        {"type": "mcp", "server_label": "weather", "allowed_tools": ["weather"]},
        function(T("of_xai")),
    ],
    "tool_choice": {"type": "function", "name": T("weather")},
    "audio": {"output": {"voice": "weather"}},
}
NAMED = {"type": "function", "function": {"name": T("of_xai")}}
CALL = {"type": "function_call", "name": T("weather"), "arguments": WRITTEN, "call_id": "weather"}
SERVER_SESSION: dict[str, Any] = {
    "tools": [{"type": "function", "name": sent("weather")}, function(sent("of_xai"))],
    "tool_choice": {"type": "function", "name": sent("weather")},
    "instructions": "pay__weather",
}
REALTIME = Sample(
    [
        {"type": "session.update", "session": SESSION},
        {"type": "session.update", "session": {**SESSION, "tool_choice": T("weather")}},
        {"type": "session.update", "session": {**SESSION, "tool_choice": "auto"}},
        {"type": "session.update", "session": {**SESSION, "tool_choice": NAMED}},
        {"type": "session.update", "session": {"type": "transcription", "name": "weather"}},
        {"type": "conversation.item.create", "item": CALL},
        {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "user", "name": "weather", "content": []},
        },
        {"type": "conversation.item.create", "item": {"type": "mcp_call", "name": "weather"}},
        {"type": "response.create", "response": {**SESSION, "input": [CALL, {"name": "weather"}]}},
        {"type": "response.create", "response": {**SESSION, "tool_choice": T("weather")}},
    ],
    [
        {"type": "session.created", "session": SERVER_SESSION},
        {"type": "session.updated", "session": {"tool_choice": sent("weather")}},
        {"type": "session.updated", "session": {"tool_choice": {"function": {"name": sent("x")}}}},
        {"type": "conversation.item.added", "item": OUTPUT[1]},
        {"type": "conversation.item.done", "item": OUTPUT[7]},
        {"type": "response.output_item.added", "item": OUTPUT[3]},
        {"type": "response.output_item.done", "item": OUTPUT[5]},
        {"type": "conversation.item.retrieved", "item": OUTPUT[6]},
        {"type": "response.function_call_arguments.done", "name": sent("weather")},
        {"type": "response.mcp_call_arguments.done", "name": "pay__weather"},
        {"type": "response.done", "response": {"output": OUTPUT, "tools": SERVER_SESSION["tools"]}},
        {"type": "response.created", "response": {"tool_choice": sent("weather"), "output": []}},
        {"type": "rate_limits.updated", "rate_limits": [{"name": "pay__requests"}]},
    ],
)
