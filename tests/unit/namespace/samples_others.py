"""Bedrock, Cohere and Ollama."""

import json
from typing import Any

from tests.unit.namespace.sample import ARGUMENTS, MADE, SCHEMA, Sample, T, sent
from tests.unit.namespace.samples_anthropic import MESSAGES, SOURCES
from tests.unit.namespace.samples_openai import CHAT, function

CONVERSE_REQUEST: dict[str, Any] = {
    "modelId": "weather",
    "system": [{"text": "weather"}],
    "inferenceConfig": {"stopSequences": ["weather"]},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": T("weather"), "inputSchema": {"json": SCHEMA}}},
            {"systemTool": {"name": "nova_grounding"}},
            {"cachePoint": {"type": "default"}},
        ],
        "toolChoice": {"tool": {"name": T("weather")}},
    },
    "additionalModelRequestFields": {
        "tools": [
            {"type": "computer_20250124", "name": "computer"},
            {"name": T("extra"), "input_schema": SCHEMA},
            {"type": "web_fetch_20260318", "name": "web_fetch", "url_sources": SOURCES},
        ],
        "tool_choice": {"type": "tool", "name": T("extra")},
    },
    "requestMetadata": {"name": "weather"},
    "outputConfig": {"textFormat": {"structure": {"jsonSchema": {"name": "weather"}}}},
    "messages": [
        {"role": "user", "content": [{"text": "weather"}, {"document": {"name": "weather"}}]},
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "weather", "name": T("weather"), "input": ARGUMENTS}},
                {"toolUse": {"name": T("gone"), "input": {}, "type": "tool_use"}},
                {"toolUse": {"name": "computer", "input": {}}},
                {"toolUse": {"name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
                {"toolUse": {"input": {}, "name": "weather", "type": "server_tool_use"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "weather", "content": [{"json": ARGUMENTS}]}},
                {"toolResult": {"content": [{"document": {"name": "weather"}}]}},
            ],
        },
        {
            "role": "system",
            "content": [
                {"toolAddition": {"tool": {"type": "tool_reference", "name": T("weather")}}},
                {"toolRemoval": {"tool": {"name": T("weather")}}},
                {"toolRemoval": {"tool": {"type": "mcp_tool_reference", "name": "weather"}}},
                {"toolRemoval": {"tool": {"name": "nova_grounding"}}},
            ],
        },
    ],
}
USES = [
    {"text": "pay__weather"},
    {"toolUse": {"toolUseId": "pay__weather", "name": sent("weather"), "input": MADE}},
    {"toolUse": {"input": MADE, "name": sent("weather"), "type": "tool_use"}},
    {"toolUse": {"type": "server_tool_use", "name": "pay__weather", "input": MADE}},
    {"toolResult": {"content": [{"json": MADE}], "type": "pay__x"}},
    {"toolAddition": {"tool": {"name": "weather"}}},
]
START = {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": sent("weather")}}}
CONVERSED = [
    {"output": {"message": {"role": "assistant", "content": USES}}, "trace": {"name": "pay__x"}},
    START,
    {"start": {"toolUse": {"type": "server_tool_use", "name": "pay__weather"}}},
    {"delta": {"toolUse": {"input": '{"name": "pay__weather"}'}}, "contentBlockIndex": 0},
    {"delta": {"text": "pay__weather"}},
    {"contentBlockStart": START},
]
CONVERSE = Sample([CONVERSE_REQUEST], CONVERSED)
COUNTED = Sample([{"input": {"converse": CONVERSE_REQUEST}}], [{"inputTokens": 3}])

RESULT = {"call": {"name": T("weather"), "parameters": ARGUMENTS}, "outputs": [ARGUMENTS]}
FIRST_CALL = {"name": T("weather"), "parameters": ARGUMENTS}
FIRST_REQUEST: dict[str, Any] = {
    "message": "weather",
    "preamble": "weather",
    "connectors": [{"id": "web-search", "name": "weather"}],
    "documents": [{"title": "weather", "name": "weather"}],
    "tools": [{"name": T("weather"), "parameter_definitions": {"name": {"type": "str"}}}],
    "tool_results": [RESULT],
    "chat_history": [
        {"role": "USER", "message": "weather", "user_name": "weather", "name": "weather"},
        {"role": "CHATBOT", "message": "weather", "tool_calls": [FIRST_CALL]},
        {"role": "TOOL", "tool_results": [RESULT]},
    ],
}
SAID_CALL = {"name": sent("weather"), "parameters": MADE}
SAID_TURNS = [
    {"role": "USER", "message": "pay__weather"},
    {"role": "CHATBOT", "tool_calls": [SAID_CALL]},
    {"role": "TOOL", "tool_results": [{"call": SAID_CALL, "outputs": [MADE]}]},
]
FIRST_ANSWER = {"text": "pay__weather", "tool_calls": [SAID_CALL], "chat_history": SAID_TURNS}
STREAMED_CALL = {"id": "pay__x", "type": "function", "function": {"name": sent("weather")}}
OF_COHERE: list[Any] = [
    FIRST_ANSWER,
    {"event_type": "tool-calls-generation", "text": "pay__x", "tool_calls": [SAID_CALL]},
    {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "name": sent("weather")}},
    {"event_type": "tool-calls-chunk", "tool_call_delta": {"parameters": '"pay__x"'}},
    {"event_type": "stream-end", "response": FIRST_ANSWER},
    {
        "id": "1",
        "message": {
            "role": "assistant",
            "tool_plan": "pay__weather",
            "tool_calls": [{**function(sent("weather")), "id": "pay__weather"}],
            "citations": [{"text": "pay__x", "sources": [{"id": "pay__x", "tool_output": MADE}]}],
        },
    },
    {"type": "tool-call-start", "delta": {"message": {"tool_calls": STREAMED_CALL}}},
    {"type": "tool-call-start", "delta": {"message": {"tool_calls": [STREAMED_CALL]}}},
    {
        "type": "tool-call-delta",
        "delta": {"message": {"tool_calls": {"function": MADE | {"name": 1}}}},
    },
    {"type": "content-delta", "delta": {"message": {"content": {"text": "pay__weather"}}}},
]
SECOND_REQUEST = {
    "tools": [function(T("weather"))],
    "tool_choice": "REQUIRED",
    "messages": [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "tool_plan": "weather", "tool_calls": [function(T("weather"))]},
        {"role": "tool", "tool_call_id": "weather_1", "content": [{"type": "document"}]},
    ],
}
LIKE_CHAT = {
    "tools": CHAT.requests[0]["tools"],
    "messages": CHAT.requests[0]["messages"],
    "connectors": [{"name": "weather"}],
}
COHERE = Sample(
    [FIRST_REQUEST, SECOND_REQUEST, LIKE_CHAT],
    [
        *OF_COHERE,
        {"message": {"tool_calls": [{"custom": {"name": sent("x")}}]}},
        {"message": {"function_call": {"name": sent("x")}}},
    ],
)

INVOKE = Sample(
    [
        *CHAT.requests,
        CONVERSE_REQUEST,
        FIRST_REQUEST,
        {"anthropic_version": "bedrock-2023-05-31", **MESSAGES.requests[0]},
        {
            "tools": [{"name": T("weather"), "input_schema": SCHEMA}],
            "messages": [{"content": [{"type": "tool_reference", "tool_name": T("weather")}]}],
            "prompt": "weather",
            "name": "weather",
        },
    ],
    [
        *CHAT.answers,
        *CONVERSED,
        *[answer for answer in OF_COHERE if "message" not in answer],
        *MESSAGES.answers,
        {"message": {"tool_calls": [function(sent("x"))], "function_call": {"name": sent("x")}}},
        {"message": {"tool_calls": [{"custom": {"name": sent("x")}}]}},
        {"generation": "pay__weather", "name": "pay__weather"},
    ],
)

OLLAMA = Sample(
    [
        {
            "model": "weather",
            "tools": CHAT.requests[0]["tools"],
            "format": SCHEMA,
            "messages": [
                *CHAT.requests[0]["messages"],
                {"role": "tool", "tool_name": T("weather"), "content": json.dumps(ARGUMENTS)},
                {"role": "user", "tool_name": "weather", "content": "weather"},
            ],
        }
    ],
    [
        {
            "model": "pay__x",
            "message": {
                "role": "assistant",
                "content": "pay__weather",
                "tool_calls": [
                    {"function": {"name": sent("weather"), "arguments": MADE}},
                    {"custom": {"name": sent("x")}},
                ],
                "function_call": {"name": sent("x")},
            },
            "done": False,
        },
        {"error": "pay__weather"},
    ],
)
