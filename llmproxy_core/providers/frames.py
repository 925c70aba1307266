"""Frames of a WebSocket session as they are stored: one JSON object a line.

`{"from": "client" | "server", "type": "text" | "binary", "at": ns, "data": text or base64}`, with
`"carried": true` where a frame of an earlier turn is repeated. What a frame says is JSON itself;
Google sends it as binary.
"""

import binascii
from base64 import b64decode
from typing import Any

from llmproxy_core.model import Json, mapping
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.bodies import Owner
from llmproxy_core.providers.format import Body, items
from llmproxy_core.providers.lines import LineReader
from llmproxy_core.providers.parsing import dumps, parse

FRAMED = frozenset({"openai.responses.websocket", "openai.realtime", "gemini.live"})
"""Formats whose bodies are frames."""


def read_frames(data: bytes) -> tuple[dict[str, Json], str | None]:
    """`{"frames": [...]}`, what each frame says as a parsed `data`, and what is wrong.

    A frame that says no JSON object is left out: sound in binary, a line that was cut.
    """
    reader = LineReader()
    frames: list[Json] = []
    problem = None
    for line in [*reader.feed(data), reader.finish()]:
        frame, unread = parse(line) if line else (None, None)
        said = payload(mapping(frame))
        value, _ = parse(said) if said else (None, None)
        if isinstance(frame, dict) and isinstance(value, dict):
            frames.append({**frame, "data": value})
        problem = problem or (f"a frame is {unread}" if unread else None)
    return {"frames": frames}, problem if frames else problem or "no frames"


def payload(frame: Body) -> bytes:
    """The bytes of one frame."""
    data = frame.get("data")
    if not isinstance(data, str):
        return b""
    if frame.get("type") != "binary":
        return data.encode("utf-8", "surrogatepass")
    try:
        return b64decode(data)
    except (binascii.Error, ValueError):
        return b""


def client_line(frame: bytes) -> bytes:
    """A frame of the client, which says JSON, as it would be stored."""
    data = frame.decode("utf-8", "replace")
    return dumps({"from": "client", "type": "text", "at": 0, "data": data}).encode(
        "utf-8", "replace"
    )


def said(body: Body, side: str) -> list[Body]:
    """What one side's frames say, in order."""
    return [mapping(f.get("data")) for f in items(body.get("frames")) if f.get("from") == side]


def filled(*objects: Any) -> dict[str, Any]:
    """One object of several; a later one wins where it says something."""
    merged: dict[str, Any] = {}
    for fields in objects:
        merged |= {key: value for key, value in mapping(fields).items() if value or value is False}
    return merged


class Frames:
    """The body of an answer in frames: the provider's are its events."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = LineReader()

    def feed(self, piece: bytes) -> None:
        for line in self._reader.feed(piece):
            self._frame(line)

    def _frame(self, line: bytes) -> None:
        frame = mapping(parse(line)[0])
        if frame.get("from") == "server" and (data := payload(frame)):
            self._owner.event(b"", data)
        elif frame.get("from") != "client":
            self._owner.into.unknown_event("not a frame")

    def finish(self) -> None:
        if line := self._reader.finish():
            self._frame(line)
        self._owner.dropped(self._reader.dropped)

    def complete(self, into: Assembler) -> bool:
        return into.closed or into.error is not None
