"""Recorded bodies as the JSON texts that they are made of: whole, events, lines, or messages."""

import json
from base64 import b64decode
from typing import Any

from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.eventstream import MessageReader, begins_eventstream
from llmproxy_core.providers.sse import EventReader
from tests.unit.namespace.oracle import Members, parsed
from tests.unit.providers.corpus import Exchange, body, headers


def texts(exchange: Exchange, side: str) -> list[Any]:
    """The texts of one side that are JSON, parsed with their keys in order."""
    data, _ = decode_body(headers(exchange, side), body(exchange, side))
    if (whole := _parsed(data)) is not None:
        return [whole]
    return [text for piece in _pieces(data) if (text := _parsed(piece)) is not None]


def _pieces(data: bytes) -> list[bytes]:
    if begins_eventstream(data):
        return [message.payload for message in MessageReader().feed(data)]
    reader = EventReader()
    events = [event.data for event in [*reader.feed(data), *reader.finish()]]
    return events or data.splitlines()


def _parsed(data: bytes) -> Any:
    """The text, or what it has in base64: pieces of `bedrock.invoke`."""
    try:
        value = parsed(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, Members) and isinstance(inner := dict(value).get("bytes"), str):
        return parsed(b64decode(inner))
    return value if isinstance(value, list) else None


def plain(value: Any) -> Any:
    """With dicts for objects."""
    return json.loads(dumped(value))


def dumped(value: Any) -> str:
    """JSON again, with the keys in order, also those that come twice."""
    if isinstance(value, Members):
        return "{" + ",".join(f"{json.dumps(key)}:{dumped(inner)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    return json.dumps(value)
