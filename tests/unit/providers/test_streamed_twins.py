"""A recorded whole answer and the same one streamed are read alike."""

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

from llmproxy_core.model import Part, Response, Usage
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.format import items
from llmproxy_core.providers.parsing import parse
from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    body,
    headers,
    joined,
    needs_corpus,
    readable,
    wire_of,
)
from tests.unit.providers.restream import ENCODERS

pytestmark = needs_corpus


def test_whole_answers_are_read_as_they_are_when_streamed() -> None:
    dice = random.Random(11)
    seen: Counter[str] = Counter()
    for exchange in readable():
        wire = wire_of(exchange)
        answer = _answer(exchange)
        if answer is None:
            continue
        events, encode, kind, _ = ENCODERS[wire]
        stream = encode(events(answer, dice), False)
        whole, _ = answer_of(exchange)
        twin = exchange | {"response_headers": [["content-type", kind]]}
        streamed, deltas = answer_of(twin, [stream])
        assert _comparable(streamed) == _comparable(whole), exchange["id"]
        if wire != "openai.responses":
            assert joined(deltas).get(("text", 0), "") == whole.text, exchange["id"]
        seen[wire] += 1
    assert seen.keys() == ENCODERS.keys()
    assert seen.total() > 1500


def _answer(exchange: Exchange) -> dict[str, Any] | None:
    """The JSON of a whole answer that can be streamed."""
    wire = wire_of(exchange)
    if wire not in ENCODERS or exchange["status"] >= 400 or exchange["streaming"]:
        return None
    value, _ = parse(decode_body(headers(exchange, "response"), body(exchange, "response"))[0])
    if not isinstance(value, dict) or not value.get(ENCODERS[wire][3]) or value.get("error"):
        return None
    if wire == "openai.responses" and value.get("status") not in ("completed", "incomplete"):
        return None
    if any(not choice.get("finish_reason") for choice in items(value.get("choices"))):
        return None
    return value


def _comparable(response: Response) -> Response:
    """Without what differs by nature: events, spaces in arguments, where blocks without text are."""
    calls = [replace(call, arguments=_loaded(call.arguments)) for call in response.tool_calls]
    parts = [_part(part) for part in response.parts if part.text or part.kind == "tool_call"]
    usage = response.usage and replace(response.usage, raw=_without_nulls(response.usage))
    return replace(
        response,
        n_events=0,
        tool_calls=calls,
        parts=_merged(parts),
        usage=usage,
        unknown_events={},
        reasoning="".join(response.reasoning.split()),
    )


def _without_nulls(usage: Usage) -> Any:
    raw = usage.raw
    return {k: v for k, v in raw.items() if v is not None} if isinstance(raw, dict) else raw


def _part(part: Part) -> Part:
    return replace(part, text=_loaded(part.text)) if part.kind == "tool_call" else part


def _merged(parts: list[Part]) -> list[Part]:
    """Neighbours of one kind are one: streams do not always tell where one ends."""
    merged: list[Part] = []
    for part in parts:
        if merged and part.kind in ("text", "reasoning") and merged[-1].kind == part.kind:
            merged[-1] = replace(part, text=merged[-1].text + part.text)
        else:
            merged.append(part)
    return merged


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
