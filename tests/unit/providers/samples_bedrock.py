"""Hand-written exchanges of Bedrock, streamed as AWS eventstreams."""

import json
from base64 import b64encode
from dataclasses import replace

from llmproxy_core.providers.eventstream import encode_message
from tests.unit.providers.sample import Event, Sample
from tests.unit.providers.samples import ANTHROPIC

EVENTSTREAM = "application/vnd.amazon.eventstream"


def message(kind: str, name: str, payload: Event) -> bytes:
    headers = {
        f":{'event' if kind == 'event' else kind}-type": name,
        ":content-type": "application/json",
        ":message-type": kind,
    }
    return encode_message(headers, json.dumps(payload, ensure_ascii=False).encode())


def eventstream(events: list[Event], done: bool = False) -> bytes:
    """Events are `{name: payload}`."""
    return b"".join(
        message("event", *next(iter(event.items()))) if len(event) == 1 else _other(event)
        for event in events
    )


def _other(event: Event) -> bytes:
    """An event with fields of no known meaning beside its own."""
    (name, payload), *more = event.items() or [("", None)]
    if not isinstance(payload, dict):
        return message("event", "brandNew", event)
    return message("event", name, {**payload, **dict(more)})


def chunks(events: list[Event], done: bool = False) -> bytes:
    """Pieces as `invoke-with-response-stream` sends them."""
    texts = [json.dumps(event, ensure_ascii=False).encode() for event in events]
    return b"".join(
        message("event", "chunk", {"bytes": b64encode(text).decode(), "p": "abc"}) for text in texts
    )


USAGE = {
    "inputTokens": 5,
    "cacheReadInputTokens": 100,
    "cacheWriteInputTokens": 10,
    "outputTokens": 30,
    "totalTokens": 145,
}


def _delta(index: int, **delta: object) -> Event:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta, "p": "abcd"}}


def _stop(index: int) -> Event:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def _call(index: int, id: str, name: str) -> Event:
    start = {"toolUse": {"toolUseId": id, "name": name}}
    return {"contentBlockStart": {"contentBlockIndex": index, "start": start}}


CONVERSE = Sample(
    wire="bedrock.converse-stream",
    path="/model/claude-x/converse-stream",
    kind=EVENTSTREAM,
    encode=eventstream,
    last=b"messageStop",
    request={
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [{"role": "user", "content": [{"text": "Weather in Oslo?"}]}],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "weather", "description": "Tells it", "inputSchema": {}}},
                {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_code_interpreter"}},
            ]
        },
        "inferenceConfig": {"temperature": 0.2},
    },
    whole={
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {
                        "reasoningContent": {
                            "reasoningText": {"text": "Need the tool.", "signature": "c2ln"}
                        }
                    },
                    {"text": "Ich schaue nach: ü 😀"},
                    {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}},
                    {"toolUse": {"toolUseId": "t2", "name": "time", "input": {}}},
                ],
            }
        },
        "stopReason": "tool_use",
        "metrics": {"latencyMs": 12},
        "usage": USAGE,
    },
    events=[
        {"messageStart": {"role": "assistant"}},
        _delta(0, reasoningContent={"text": "Need the "}),
        _delta(0, reasoningContent={"text": "tool."}),
        _delta(0, reasoningContent={"signature": "c2ln"}),
        _stop(0),
        _delta(1, text="Ich schaue "),
        _delta(1, text="nach: ü 😀"),
        _stop(1),
        _call(2, "t1", "weather"),
        _delta(2, toolUse={"input": '{"city":'}),
        _delta(2, toolUse={"input": '"Oslo"}'}),
        _stop(2),
        _call(3, "t2", "time"),
        _stop(3),
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 12}}},
    ],
)
INVOKE = replace(
    ANTHROPIC,
    wire="bedrock.invoke-with-response-stream",
    path="/model/claude-x/invoke-with-response-stream",
    kind=EVENTSTREAM,
    encode=chunks,
    request={**ANTHROPIC.request, "anthropic_version": "bedrock-2023-05-31"},
    last=b'"eyJ0eXBlIjogIm1lc3NhZ2Vfc3RvcCJ9"',
)
SAMPLES = [
    CONVERSE,
    replace(CONVERSE, wire="bedrock.converse"),
    INVOKE,
    replace(INVOKE, wire="bedrock.invoke"),
]
