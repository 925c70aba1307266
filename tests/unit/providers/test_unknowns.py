"""What nobody knows yet changes nothing that is read: new fields anywhere, new events."""

import json
import random
from dataclasses import replace
from typing import Any

from llmproxy_core.model import Request, Response
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.eventstream import MessageReader
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.parsing import parse
from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    body,
    headers,
    joined,
    needs_corpus,
    path_of,
    readable,
    wire_of,
)
from tests.unit.providers.samples_bedrock import message

pytestmark = needs_corpus

FREE = frozenset(
    {
        *(
            "input",
            "args",
            "arguments",
            "parameters",
            "schema",
            "json",
            "inputSchema",
            "properties",
        ),
        *("input_schema", "input_tokens_details", "metadata", "response", "action", "actions"),
        *("usage", "tool_calls", "usageMetadata", "inputTokens", "generationConfig", "labels"),
        *("error", "logprobs", "response_format", "text", "embeddings", "embedding", "statistics"),
    }
)
"""Objects whose fields are the caller's own, or are kept and shown whole."""
NEW = {"brand_new": {"deep": [1, None, {"x": "y"}]}}


def grown(value: Any) -> Any:
    """With an unknown field in every object, last."""
    if isinstance(value, dict):
        kept = {key: item if key in FREE else grown(item) for key, item in value.items()}
        return kept if _is_payload(value) else {**kept, **NEW}
    return [grown(item) for item in value] if isinstance(value, list) else value


def _is_payload(value: dict[str, Any]) -> bool:
    """Blocks that have no `type` are told by their only key."""
    return len(value) <= 1


def test_unknown_fields_of_requests_change_nothing() -> None:
    for exchange in readable():
        data, _ = decode_body(headers(exchange, "request"), body(exchange, "request"))
        value, problem = parse(data)
        if not isinstance(value, dict) or problem:
            continue
        wire, path = wire_of(exchange), path_of(exchange)
        expected, _ = read_request(wire, path, [], data)
        request, problem = read_request(wire, path, [], _dumped(grown(value)))
        assert problem is None, exchange["id"]
        assert _said(request) == _said(expected), exchange["id"]


def _said(request: Request) -> Request:
    """Without the settings, which new fields join, and what has no text of its own."""
    return replace(
        request,
        parameters={},
        messages=[
            replace(message, parts=[part for part in message.parts if part.kind in TEXTUAL])
            for message in request.messages
        ],
        system=[part for part in request.system if part.kind in TEXTUAL],
    )


TEXTUAL = ("text", "reasoning", "refusal", "image", "audio")


def test_unknown_fields_of_answers_change_nothing() -> None:
    n = 0
    for exchange in readable():
        data, _ = decode_body(headers(exchange, "response"), body(exchange, "response"))
        bare = exchange | {"response_headers": _kind(exchange)}
        changed = _grown_body(data)
        if changed is None or exchange["status"] >= 400:
            continue
        expected, _ = answer_of(bare, [data])
        response, _ = answer_of(bare, [changed])
        assert _read(response) == _read(expected), exchange["id"]
        n += 1
    assert n > 2500


def _grown_body(data: bytes) -> bytes | None:
    """JSON, or server-sent events of one line each."""
    value, _ = parse(data)
    if isinstance(value, dict):
        return _dumped(grown(value))
    if b"data:" not in data[:200]:
        return None
    return b"\n".join(_grown_line(line) for line in data.split(b"\n"))


def _grown_line(line: bytes) -> bytes:
    value, _ = parse(line.removeprefix(b"data:"))
    if not line.startswith(b"data:") or not isinstance(value, dict):
        return line
    return b"data: " + _dumped(grown(value))


def _read(response: Response) -> Response:
    """Without the provider's own objects, which are kept whole, and what shows them."""
    parts = [part for part in response.parts if part.kind in TEXTUAL]
    usage = response.usage and replace(response.usage, raw=None)
    return replace(response, parts=parts, usage=usage)


def _kind(exchange: Exchange) -> list[list[str]]:
    return [h for h in exchange["response_headers"] if h[0].lower() == "content-type"]


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_an_unknown_event_is_counted_and_changes_nothing() -> None:
    dice = random.Random(12)
    new = {"type": "brand.new", "brand_new": 1}
    n = 0
    for exchange in readable():
        data, _ = decode_body(headers(exchange, "response"), body(exchange, "response"))
        bare = exchange | {"response_headers": _kind(exchange)}
        expected, deltas = answer_of(bare, [data])
        changed = _with_event(data, new, dice)
        if changed is None or not exchange["streaming"] or expected.n_events < 2:
            continue
        response, others = answer_of(bare, [changed])
        assert sum(response.unknown_events.values()) == 1 + sum(expected.unknown_events.values())
        same = replace(response, unknown_events=expected.unknown_events, n_events=expected.n_events)
        assert same == expected, exchange["id"]
        assert joined(others) == joined(deltas), exchange["id"]
        n += 1
    assert n > 300


def _with_event(data: bytes, new: dict[str, Any], dice: random.Random) -> bytes | None:
    """`new` after a random event of the stream."""
    if data[:1] == b"\x00":
        ends, reader = [], MessageReader()
        for at in range(len(data)):
            if reader.feed(data[at : at + 1]):
                ends.append(at + 1)
        at = dice.choice(ends)
        return data[:at] + message("event", "brandNew", new) + data[at:]
    if data[:1] == b"{" and b"}\n{" in data:
        at = dice.choice([i for i, c in enumerate(data) if c == 10]) + 1
        return data[:at] + _dumped(new) + b"\n" + data[at:]
    for gap in (b"\r\n\r\n", b"\n\n"):
        if b"data:" in data[:200] and gap in data:
            parts = data.split(gap)
            at = dice.randrange(1, len(parts))
            return gap.join([*parts[:at], b"data: " + _dumped(new), *parts[at:]])
    return None
