"""Files to be imported, made for a test, and what is read out of them."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmproxy_core.interchange.incoming.kinds import READERS, Kind, kind_of
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import opened

CHAT = "https://api.openai.com/v1/chat/completions"
QUESTION = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Why?"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"gpt-4o",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Because."},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}'
)
KEY = "sk-proj-Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5"

type Reading = list[Recording | Skipped]


def read(file: Path, kind: Kind | None = None) -> Reading:
    return list(reading(file, kind))


def reading(file: Path, kind: Kind | None = None) -> Iterator[Recording | Skipped]:
    with opened(str(file)) as source:
        yield from READERS[kind or kind_of(source)](source)


def bodies(found: Reading) -> list[tuple[bytes | None, bytes | None]]:
    return [(r.request_body, r.response_body) for r in found if isinstance(r, Recording)]


def skipped(found: Reading) -> list[str]:
    return [f"{s.place}: {s.reason}" for s in found if isinstance(s, Skipped)]


def line(id: str = "one", **changes: Any) -> dict[str, Any]:
    told = {
        "id": id,
        "url": CHAT,
        "method": "POST",
        "request_headers": [
            ["Authorization", f"Bearer {KEY}"],
            ["Content-Type", "application/json"],
        ],
        "request_body": QUESTION.decode(),
        "request_body_encoding": "utf-8",
        "status": 200,
        "response_headers": [["Content-Type", "application/json"]],
        "response_body": base64.b64encode(ANSWER).decode(),
        "response_body_encoding": "base64",
        "provider": "openai",
        "wire": "openai.chat",
        "streaming": False,
    }
    return told | changes


def lines_file(file: Path, lines: list[dict[str, Any]], end: bytes = b"") -> Path:
    file.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in lines) + end)
    return file


def entry(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "startedDateTime": "2026-11-01T12:00:00.250Z",
        "time": 1500.0,
        "timings": {"send": 10, "wait": 990, "receive": 500},
        "request": {
            "method": "POST",
            "url": CHAT,
            "httpVersion": "h2",
            "headers": [
                {"name": ":authority", "value": "api.openai.com"},
                {"name": "authorization", "value": f"Bearer {KEY}"},
            ],
            "postData": {"mimeType": "application/json", "text": QUESTION.decode()},
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [
                {"name": "content-type", "value": "application/json"},
                {"name": "content-encoding", "value": "gzip"},
            ],
            "content": {"size": len(ANSWER), "text": ANSWER.decode()},
        },
    }
    return told | changes


def har_file(file: Path, entries: list[dict[str, Any]], **log: Any) -> Path:
    file.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {}, "entries": entries} | log})
    )
    return file


def zipped(file: Path) -> Path:
    packed = file.with_name(file.name + ".gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    return packed


def cuts(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def raised(action: Callable[[], object]) -> str:
    """The text of the LlmproxyError that it raises."""
    from llmproxy_core.errors import LlmproxyError

    try:
        action()
    except LlmproxyError as exc:
        return str(exc)
    raise AssertionError("nothing was raised")
