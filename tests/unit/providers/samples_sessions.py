"""Hand-written exchanges of WebSocket sessions: frames, one JSON object a line."""

import json
from dataclasses import replace

from tests.unit.providers.sample import Event, Sample
from tests.unit.providers.samples import RESPONSES
from tests.unit.providers.sessions import line

PATH = "/v1/realtime?model=gpt-x"


def frames(events: list[Event], done: bool = False) -> bytes:
    """The provider's frames."""
    return b"".join(line(False, json.dumps(event, ensure_ascii=False).encode()) for event in events)


def asked(*events: Event, carried: int = 0) -> bytes:
    """The client's; the first `carried` are repeated ones."""
    texts = [json.dumps(event, ensure_ascii=False).encode() for event in events]
    return b"".join(line(True, text, at < carried) for at, text in enumerate(texts))


WEATHER = {"type": "function", "name": "weather", "description": "Tells it"}
CODEX = replace(
    RESPONSES,
    wire="openai.responses.websocket",
    path="/v1/responses",
    kind="",
    encode=frames,
    whole={},
    request=asked(
        {
            "type": "response.create",
            "model": "gpt-x",
            "generate": False,
            "input": [{"type": "additional_tools", "tools": [WEATHER]}],
        },
        {"type": "response.create", **RESPONSES.request, "tools": [{"type": "web_search"}]},
        carried=1,
    ),
)


def _event(kind: str, **fields: object) -> Event:
    return {"type": kind, "event_id": "event_1", "response_id": "resp_1", **fields}


def _item(id: str, **fields: object) -> Event:
    return {"id": id, "object": "realtime.item", "status": "completed", **fields}


CALL = {"type": "function_call", "call_id": "call_1", "name": "weather"}
SPOKEN = {"type": "output_audio", "transcript": "Ich schaue nach: ü 😀"}
REALTIME = Sample(
    wire="openai.realtime",
    path=PATH,
    kind="",
    encode=frames,
    last=b"response.done",
    speaks=False,
    request=asked(
        {
            "type": "session.update",
            "session": {"type": "realtime", "instructions": "Be brief.", "tools": [WEATHER]},
        },
        {"type": "input_audio_buffer.append", "audio": "AAAAAAAA"},
        {
            "type": "conversation.item.create",
            "item": {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Weather in Oslo?"}],
            },
        },
        {"type": "response.create", "response": {"output_modalities": ["audio"]}},
        carried=1,
    ),
    whole={},
    events=[
        _event("response.created", response={"id": "resp_1", "status": "in_progress"}),
        _event("response.output_item.added", output_index=0, item=_item("i1", type="message")),
        _event("conversation.item.added", item=_item("i1", type="message")),
        _event("response.content_part.added", item_id="i1", output_index=0, content_index=0),
        _event("response.output_audio_transcript.delta", item_id="i1", delta="Ich schaue "),
        _event("response.output_audio.delta", item_id="i1", delta="AAAA"),
        _event("response.output_audio_transcript.delta", item_id="i1", delta="nach: ü 😀"),
        _event("response.output_audio.done", item_id="i1"),
        _event("response.output_item.done", output_index=0, item=_item("i1", type="message")),
        _event("response.output_item.added", output_index=1, item=_item("i2", **CALL)),
        _event("response.function_call_arguments.delta", item_id="i2", delta='{"city":'),
        _event("response.function_call_arguments.delta", item_id="i2", delta='"Oslo"}'),
        _event("response.function_call_arguments.done", item_id="i2"),
        _event("rate_limits.updated", rate_limits=[]),
        _event(
            "response.done",
            response={
                "object": "realtime.response",
                "id": "resp_1",
                "status": "completed",
                "output": [
                    _item("i1", type="message", role="assistant", content=[SPOKEN]),
                    _item("i2", arguments='{"city":"Oslo"}', **CALL),
                ],
                "usage": {
                    "input_tokens": 44,
                    "output_tokens": 99,
                    "input_token_details": {"cached_tokens": 8, "audio_tokens": 30},
                    "output_token_details": {"text_tokens": 27, "audio_tokens": 72},
                },
            },
        ),
    ],
)


def _says(**content: object) -> Event:
    return {"serverContent": content}


def _sound(text: str) -> Event:
    sound = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA"}}
    return _says(modelTurn={"parts": [sound]}, outputTranscription={"text": text})


LIVE = Sample(
    wire="gemini.live",
    path="/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
    kind="",
    encode=frames,
    last=b"toolCall",
    request=asked(
        {
            "setup": {
                "model": "models/gpt-x",
                "systemInstruction": {"parts": [{"text": "Be brief."}]},
                "tools": [{"functionDeclarations": [{"name": "weather"}]}, {"googleSearch": {}}],
                "generationConfig": {"responseModalities": ["AUDIO"]},
            }
        },
        {
            "clientContent": {
                "turns": [{"role": "user", "parts": [{"text": "Weather in Oslo?"}]}],
                "turnComplete": True,
            }
        },
        carried=1,
    ),
    whole={},
    events=[
        {"sessionResumptionUpdate": {"resumable": True}},
        _says(modelTurn={"parts": [{"text": "Need the ", "thought": True}]}),
        _says(modelTurn={"parts": [{"text": "tool.", "thought": True}]}),
        _sound("Ich schaue "),
        _sound("nach: ü 😀"),
        {"usageMetadata": {"promptTokenCount": 20, "responseTokenCount": 9}},
        {
            "toolCall": {
                "functionCalls": [{"id": "c1", "name": "weather", "args": {"city": "Oslo"}}]
            }
        },
    ],
)

SAMPLES = [CODEX, REALTIME, LIVE]
