"""Whole answers, sent as their providers would stream them: formats that can be told apart."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.unit.providers.sample import Event, ndjson, sse
from tests.unit.providers.samples_bedrock import EVENTSTREAM, eventstream

type Answer = dict[str, Any]
EVENTS = "text/event-stream"
SPLIT = ("reasoning", "reasoning_content", "content", "refusal")
TWICE = "reasoning_details"
"""Says again what `reasoning` says, in the same delta."""


def pieces(text: str | None, dice: random.Random) -> list[str]:
    """The text in a few pieces, cut at any character."""
    text = text or ""
    at = sorted(dice.randrange(len(text) + 1) for _ in range(dice.randrange(4)))
    return [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]


def chat(body: Answer, dice: random.Random) -> list[Event]:
    head = {key: value for key, value in body.items() if key not in ("choices", "usage")}
    events: list[Event] = []

    def delta(choice: Answer, **fields: Any) -> None:
        told = {"index": choice.get("index", 0), "delta": fields, "finish_reason": None}
        events.append({**head, "choices": [told]})

    for choice in body["choices"]:
        message = choice.get("message") or {}
        delta(choice, role="assistant", content="")
        for key in sorted(message, key=lambda key: "reasoning" not in key):
            if key in SPLIT and isinstance(message[key], str):
                for piece in pieces(message[key], dice):
                    delta(choice, **{key: piece})
            elif key == "tool_calls":
                _calls(choice, message, delta, dice)
            elif message[key] is not None and not (key == TWICE and message.get("reasoning")):
                delta(choice, **{key: message[key]})
        ended = {key: value for key, value in choice.items() if key != "message"}
        events.append({**head, "choices": [{"index": 0, **ended, "delta": {}}]})
    return [*events, {**head, "choices": [], "usage": body.get("usage")}]


def _calls(
    choice: Answer, message: Answer, delta: Callable[..., None], dice: random.Random
) -> None:
    for index, call in enumerate(message["tool_calls"] or ()):
        kind = "custom" if "custom" in call else "function"
        argument = "input" if kind == "custom" else "arguments"
        inner = call[kind]
        first = {**call, "index": index, kind: {**inner, argument: ""}}
        delta(choice, tool_calls=[first])
        text = inner.get(argument)
        text = text if isinstance(text, str) else json.dumps(text) if text else ""
        for piece in pieces(text, dice):
            delta(choice, tool_calls=[{"index": index, kind: {argument: piece}}])


def anthropic(body: Answer, dice: random.Random) -> list[Event]:
    start = {**body, "content": [], "stop_reason": None}
    events: list[Event] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(body["content"]):
        kind = block["type"]
        field = {"text": "text", "thinking": "thinking"}.get(kind)
        deltas: list[Event] = []
        begun = block
        if field:
            begun = {**block, field: ""}
            deltas = [
                {"type": f"{kind}_delta", field: piece} for piece in pieces(block[field], dice)
            ]
        elif kind == "tool_use":
            begun = {**block, "input": {}}
            text = json.dumps(block["input"], ensure_ascii=False)
            deltas = [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces(text, dice)
            ]
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": body["stop_reason"], "stop_sequence": body.get("stop_sequence")}
    events.append({"type": "message_delta", "delta": ended, "usage": body.get("usage")})
    return [*events, {"type": "message_stop"}]


def responses(body: Answer, dice: random.Random) -> list[Event]:
    begun = {**body, "output": [], "status": "in_progress", "usage": None}
    events: list[Event] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(body["output"]):
        events.append({"type": "response.output_item.added", "output_index": index, "item": item})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return [*events, {"type": f"response.{body['status']}", "response": body}]


def gemini(body: Answer, dice: random.Random) -> list[Event]:
    events: list[Event] = []
    head = {key: value for key, value in body.items() if key != "candidates"}
    for at, candidate in enumerate(body.get("candidates") or ()):
        index = candidate.get("index", at)
        for part in (candidate.get("content") or {}).get("parts") or ():
            for said in _parts(part, dice):
                events.append({"candidates": [{"content": {"parts": [said]}, "index": index}]})
        events.append({**head, "candidates": [{**candidate, "content": {}, "index": index}]})
    return events or [head]


def _parts(part: Answer, dice: random.Random) -> list[Answer]:
    if not part.get("text"):
        return [part]
    return [{**part, "text": piece} for piece in pieces(part["text"], dice)]


def converse(body: Answer, dice: random.Random) -> list[Event]:
    events: list[Event] = [{"messageStart": {"role": "assistant"}}]

    def tell(kind: str, index: int, **fields: Any) -> None:
        events.append({kind: {"contentBlockIndex": index, **fields}})

    for index, block in enumerate(body["output"]["message"]["content"]):
        thought = (block.get("reasoningContent") or {}).get("reasoningText") or {}
        call = block.get("toolUse") or {}
        if "text" in block:
            for piece in pieces(block["text"], dice):
                tell("contentBlockDelta", index, delta={"text": piece})
        elif thought:
            for piece in pieces(thought["text"], dice):
                tell("contentBlockDelta", index, delta={"reasoningContent": {"text": piece}})
        elif call and call.get("type") != "server_tool_use":
            start = {key: value for key, value in call.items() if key != "input"}
            tell("contentBlockStart", index, start={"toolUse": start})
            for piece in pieces(json.dumps(call["input"]), dice):
                tell("contentBlockDelta", index, delta={"toolUse": {"input": piece}})
        elif "reasoningContent" not in block:
            tell("contentBlockStart", index, start=block)
        tell("contentBlockStop", index)
    events.append({"messageStop": {"stopReason": body["stopReason"]}})
    return [*events, {"metadata": {"usage": body["usage"]}}]


def ollama(body: Answer, dice: random.Random) -> list[Event]:
    message = body["message"]
    head = {"model": body["model"], "created_at": body["created_at"], "done": False}
    events: list[Event] = [
        {**head, "message": {"role": "assistant", "content": "", "thinking": piece}}
        for piece in pieces(message.get("thinking"), dice)
        if piece
    ]
    events += [
        {**head, "message": {"role": "assistant", "content": piece}}
        for piece in pieces(message.get("content"), dice)
    ]
    if calls := message.get("tool_calls"):
        events.append(
            {**head, "message": {"role": "assistant", "content": "", "tool_calls": calls}}
        )
    return [*events, {**body, "message": {"role": "assistant", "content": ""}}]


type Encoder = tuple[
    Callable[[Answer, random.Random], list[Event]], Callable[[list[Event], bool], bytes], str, str
]
ENCODERS: dict[str, Encoder] = {
    "openai.chat": (chat, sse, EVENTS, "choices"),
    "anthropic.messages": (anthropic, sse, EVENTS, "content"),
    "openai.responses": (responses, sse, EVENTS, "output"),
    "gemini": (gemini, sse, EVENTS, "candidates"),
    "bedrock.converse": (converse, eventstream, EVENTSTREAM, "output"),
    "ollama.chat": (ollama, ndjson, "application/x-ndjson", "message"),
}
"""By wire: events of an answer, bytes of events, their content type, and a field answers have."""
