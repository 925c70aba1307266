"""Frames of a WebSocket as they are written: lines of JSON around what was said, see `websocket`."""

import binascii
import json
from base64 import b64decode, b64encode
from typing import Any

FROM_CLIENT = b'{"from": "client"'
BINARY = "binary"


def is_from_client(line: bytes) -> bool:
    return line.startswith(FROM_CLIENT)


def content_of(line: bytes) -> bytes:
    """What was said; of a line that is none of ours, the line."""
    told = _told(line)
    if told is None:
        return line
    data = told["data"]
    return b64decode(data) if told.get("type") == BINARY else data.encode(*CODING)


def with_content(line: bytes, content: bytes) -> bytes:
    """The line with something else said."""
    told = _told(line)
    if told is None:
        return content
    binary = told.get("type") == BINARY
    told["data"] = b64encode(content).decode() if binary else content.decode(*CODING)
    return json.dumps(told, ensure_ascii=True).encode()


CODING = ("utf-8", "surrogateescape")


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
        if told.get("type") == BINARY:
            b64decode(told["data"], validate=True)
        else:
            told["data"].encode(*CODING)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
    return told if isinstance(told, dict) else None
