"""How events are written: server-sent events, lines, JSON, frames of an eventstream."""

import binascii
import json
import re
from base64 import b64decode, b64encode

from llmproxy_core.model import mapping
from llmproxy_core.namespace.events import Event
from llmproxy_core.providers.eventstream import encode_message, with_payload
from llmproxy_core.providers.parsing import dumps, parse
from llmproxy_core.toolgate.call import Fields

FIELD = re.compile(rb"(?:^|[\r\n])event:", re.ASCII)
TYPES = ("contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop")


def coded(told: Fields) -> bytes:
    try:
        return dumps(told).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(told, separators=(",", ":")).encode()


class Plain:
    def text(self, event: Event) -> bytes:
        return event.text

    def read(self, text: bytes) -> Fields | None:
        value, _ = parse(text.strip())
        return value if isinstance(value, dict) else None


class Sse(Plain):
    """The name of an event is its `type`, where the provider names its events."""

    def written(self, event: Event, told: Fields) -> bytes:
        end = b"\r\n" if b"\r\n" in event.raw else b"\n"
        kind = told.get("type")
        named = isinstance(kind, str) and FIELD.search(event.raw)
        head = b"event: %b%b" % (str(kind).encode(), end) if named else b""
        return head + b"data: " + coded(told) + end + end


class Lines(Plain):
    def written(self, event: Event, told: Fields) -> bytes:
        return coded(told) + b"\n"


class Json(Plain):
    """What stands before the JSON text, e.g. the comma of an array, stays."""

    def read(self, text: bytes) -> Fields | None:
        value, _ = parse(text.strip(b" \t\r\n,[\xef\xbb\xbf"))
        return value if isinstance(value, dict) else None

    def written(self, event: Event, told: Fields) -> bytes:
        start = max(event.raw.find(b"{"), 0)
        return event.raw[:start] + coded(told)


class Messages(Plain):
    """`bedrock.converse-stream`: the type of an event is a header of its message."""

    def written(self, event: Event, told: Fields) -> bytes:
        if (kind := _type(told)) == _type(self.read(event.text) or {}):
            return with_payload(event.raw, coded(told))
        headers = {
            ":event-type": kind,
            ":content-type": "application/json",
            ":message-type": "event",
        }
        return encode_message(headers, coded(told))


class Chunks(Plain):
    """`bedrock.invoke-with-response-stream`: events are base64 within JSON."""

    def text(self, event: Event) -> bytes:
        told = mapping(parse(event.text)[0]).get("bytes")
        try:
            return b64decode(told) if isinstance(told, str) else event.text
        except (binascii.Error, ValueError):
            return event.text

    def written(self, event: Event, told: Fields) -> bytes:
        around = {**mapping(parse(event.text)[0]), "bytes": b64encode(coded(told)).decode()}
        return with_payload(event.raw, coded(around))


def _type(told: Fields) -> str:
    if "start" in told:
        return TYPES[0]
    if "delta" in told:
        return TYPES[1]
    return TYPES[3] if "stopReason" in told else TYPES[2]
