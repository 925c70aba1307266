"""Exchanges as a proxy records them, made up."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.records import Answer, Answered, Closed, Ending, Opened, Piece, Record
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.worker.identity import dated

type Recorded = tuple[Record, bytes]

NOON = 1_795_000_000 * 10**9
MS = 10**6
SECOND = 10**9
JSON: Headers = [("content-type", "application/json")]
EVENTS: Headers = [("content-type", "text/event-stream")]


@dataclass
class Call:
    """One call; its records with `records`. Times in ns."""

    number: int = 0
    at: int = NOON
    headers: Headers = field(default_factory=list)
    body: bytes | None = None
    hints: dict[str, Any] = field(default_factory=dict)
    client: str = "127.0.0.1:40000"
    user_agent: str = "tests/1"
    credential: str | None = "fp_1"
    proxy_user: str | None = None
    wire: str = "openai.chat"
    path: str = "/v1/chat/completions"
    status: int = 200
    answer: bytes | None = None
    pieces: Sequence[bytes] | None = None
    ending: Ending = "complete"
    error: str | None = None

    @property
    def id(self) -> bytes:
        return dated(self.at, self.number).bytes

    def opened(self) -> tuple[Opened, bytes]:
        asked = {
            "model": "gpt-4o-mini",
            "stream": self.pieces is not None,
            "messages": [{"role": "user", "content": f"question {self.number}"}],
            **self.hints,
        }
        body = json.dumps(asked).encode() if self.body is None else self.body
        digest = content_hash(body)
        record = Opened(
            id=self.id,
            at=self.at,
            namespace="default",
            client=self.client,
            proxy_user=self.proxy_user,
            credential=self.credential,
            provider="openai",
            wire=self.wire,
            scheme="https",
            host="api.openai.com",
            port=443,
            method="POST",
            path=self.path,
            http_version="HTTP/1.1",
            headers=[("user-agent", self.user_agent), *self.headers],
            body_bytes=len(body),
            body_kept="full",
            hash_in=digest,
            hash_out=digest,
        )
        return record, body

    def head(self) -> Answer:
        kind = EVENTS if self.pieces is not None else JSON
        return Answer(self.at + 100 * MS, self.status, "OK", "HTTP/1.1", kind)

    def answered(self) -> list[Recorded]:
        """The head of a streamed answer and its pieces, one every 50 ms."""
        records: list[Recorded] = [(Answered(self.id, self.head()), b"")]
        for number, piece in enumerate(self.pieces or ()):
            at = self.at + (150 + 50 * number) * MS
            records.append((Piece(self.id, at, [(len(piece), 0)]), piece))
        return records

    def closed(self) -> Recorded:
        streamed = self.pieces is not None
        body = (
            b""
            if streamed
            else (chat(f"answer {self.number}") if self.answer is None else self.answer)
        )
        whole = b"".join(self.pieces or ()) if streamed else body
        digest = content_hash(whole)
        end = self.at + (200 + 50 * len(self.pieces or ())) * MS
        record = Closed(
            id=self.id,
            at=end,
            ending=self.ending,
            error=self.error,
            answer=None if streamed or not self.status else self.head(),
            first_at=self.at + 150 * MS if whole else 0,
            marks=[(len(body), 0)] if body else [],
            body_bytes=len(whole),
            body_kept="full",
            hash_in=digest,
            hash_out=digest,
            trailers=[],
            pending_at=self.at + 150 * MS if body else 0,
        )
        return record, body

    def records(self) -> list[Recorded]:
        middle = self.answered() if self.pieces is not None else []
        return [self.opened(), *middle, self.closed()]


def chat(text: str, **more: Any) -> bytes:
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        **more,
    }
    return json.dumps(answer).encode()


def chat_chunk(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    event = {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def chat_stream(*words: str) -> list[bytes]:
    """One piece a word, then the end."""
    return [*map(chat_chunk, words), chat_chunk(None, "stop") + b"data: [DONE]\n\n"]


def append(journal: SpoolWriter, records: Sequence[Recorded]) -> None:
    for record, body in records:
        assert journal.append(record, [body] if body else [])


def zipped(body: bytes) -> bytes:
    return gzip.compress(body)


def response(name: str, text: str = "done") -> bytes:
    """An answer in the format `openai.responses`."""
    return json.dumps(_response(name, text)).encode()


def response_stream(name: str, text: str = "done") -> list[bytes]:
    begun: dict[str, Any] = {
        "type": "response.created",
        "response": _response(name, "") | {"output": []},
    }
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0}
    ended = {"type": "response.completed", "response": _response(name, text)}
    events: list[dict[str, Any]] = [begun, delta | {"item_id": "m", "delta": text}, ended]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def _response(name: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "m", "role": "assistant", "content": content}
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    return {
        "id": name,
        "object": "response",
        "status": "completed",
        "model": "gpt-5-mini",
        "output": [message],
        "usage": usage,
    }
