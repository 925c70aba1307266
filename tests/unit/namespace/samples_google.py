"""`gemini`, counted and live, in both spellings."""

import re
from typing import Any

from tests.unit.namespace.sample import ARGUMENTS, MADE, SCHEMA, Sample, T, sent

CAPITAL = re.compile("(?<=[a-z])([A-Z])")

REQUEST: dict[str, Any] = {
    "model": "models/weather",
    "systemInstruction": {"parts": [{"text": "weather"}]},
    "tools": [
        {
            "functionDeclarations": [
                {"name": T("weather"), "parameters": SCHEMA, "description": "weather"},
                {"name": T("find"), "response": SCHEMA},
            ]
        },
        {"googleSearch": {}, "fileSearch": {"fileSearchStoreNames": ["weather"]}},
        {"computerUse": {"excludedPredefinedFunctions": ["weather"]}},
        {"mcpServers": [{"name": "weather"}]},
    ],
    "toolConfig": {
        "functionCallingConfig": {
            "mode": "ANY",
            "allowedFunctionNames": [T("weather"), "click_at"],
        }
    },
    "generationConfig": {"responseSchema": SCHEMA, "stopSequences": ["weather"]},
    "contents": [
        {"role": "user", "parts": [{"text": "weather"}, {"fileData": {"displayName": "weather"}}]},
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "weather", "name": T("weather"), "args": ARGUMENTS},
                    "thoughtSignature": "weather",
                },
                {"functionCall": {"name": T("gone"), "args": {}}},
                {"functionCall": {"name": "click_at", "args": {"name": "weather"}}},
                {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "name": "weather"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": T("weather"), "response": ARGUMENTS}},
                {"functionResponse": {"name": "click_at", "response": {}}},
            ],
        },
    ],
}
SINGLE: dict[str, Any] = {
    "tools": {"functionDeclarations": {"name": T("click_at")}},
    "contents": {"parts": {"functionCall": {"name": T("click_at"), "args": ARGUMENTS}}},
}
EVENT = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "pay__weather"},
                    {"functionCall": {"name": sent("weather"), "args": MADE, "id": "pay__x"}},
                    {"functionCall": {"name": "click_at", "args": MADE}},
                    {"functionResponse": {"name": sent("weather"), "response": MADE}},
                ],
            },
            "finishMessage": "pay__weather",
        },
        {"content": {"parts": {"functionCall": {"name": sent("second")}}}},
    ],
    "modelVersion": "pay__x",
}


def snake(value: Any) -> Any:
    """The same with the other spelling of keys."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if isinstance(value, dict):
        return {CAPITAL.sub(r"_\1", key).lower(): snake(one) for key, one in value.items()}
    return value


def both(bodies: list[Any]) -> list[Any]:
    return [*bodies, *map(snake, bodies)]


ASKED = [REQUEST, SINGLE, {"project": "weather", "model": "x", "request": REQUEST}]
GENERATE = Sample(
    both(ASKED),
    both([EVENT, [EVENT, EVENT], {"response": EVENT, "traceId": "pay__x"}, [{"response": EVENT}]]),
)
COUNTED = Sample(
    both([*ASKED, {"generateContentRequest": REQUEST}]), [{"totalTokens": 3, "name": "pay__x"}]
)
LIVE = Sample(
    both(
        [
            {"setup": {**REQUEST, "contents": [], "tools": REQUEST["tools"]}},
            {"clientContent": {"turns": REQUEST["contents"], "turnComplete": True}},
            {"clientContent": {"turns": SINGLE["contents"] | {"parts": [{"text": "weather"}]}}},
            {
                "toolResponse": {
                    "functionResponses": [{"name": T("weather"), "response": ARGUMENTS}]
                }
            },
            {"toolResponse": {"functionResponses": {"name": T("weather")}}},
            {"realtimeInput": {"text": "weather", "name": "weather"}},
        ]
    ),
    both(
        [
            {"toolCall": {"functionCalls": [{"name": sent("weather"), "args": MADE}]}},
            {"toolCallCancellation": {"ids": ["pay__weather"]}},
            {"serverContent": {"modelTurn": EVENT["candidates"][0]["content"]}},  # type: ignore[index]
            {"serverContent": {"outputTranscription": {"text": "pay__weather"}}},
        ]
    ),
)
