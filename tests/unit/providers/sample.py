"""What a hand-written exchange is: a request, the whole answer and its streamed twin."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmproxy_core.model import Response
from llmproxy_core.providers.reader import AnswerReader

type Event = dict[str, Any]


def sse(events: list[Event], done: bool = False) -> bytes:
    texts = [json.dumps(event, ensure_ascii=False) for event in events]
    return "".join(
        f"data: {text}\n\n" for text in [*texts, "[DONE]"][: None if done else -1]
    ).encode()


def ndjson(events: list[Event], done: bool = False) -> bytes:
    return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


@dataclass(frozen=True)
class Sample:
    """`request` is JSON, or bytes as they are sent.

    `events` may be empty where the format never streams, `whole` where it always does.
    `speaks`: the answer is the one of all chats, with a thought, a text and a call of `weather`.
    `encode` makes the streamed body of the events; `kind` is its content type.
    """

    wire: str
    request: Any
    whole: dict[str, Any]
    events: list[Event]
    done: bool = False
    speaks: bool = True
    path: str = "/v1/models/gpt-x:streamGenerateContent"
    encode: Callable[[list[Event], bool], bytes] = sse
    kind: str = "text/event-stream"
    last: bytes = b""
    """Bytes before whose last occurrence the stream is surely not at its end."""

    @property
    def json(self) -> bytes:
        return json.dumps(self.whole).encode()

    @property
    def asked(self) -> bytes:
        return (
            self.request if isinstance(self.request, bytes) else json.dumps(self.request).encode()
        )

    @property
    def stream(self) -> bytes:
        return self.encode(self.events, self.done)

    @property
    def sse(self) -> bytes:
        return sse(self.events, self.done)


def read(wire: str, body: bytes, status: int = 200, kind: str = "", path: str = "") -> Response:
    reader = AnswerReader(wire, status, [("Content-Type", kind)] if kind else [], path)
    reader.feed(body)
    return reader.finish()
