"""Answers that pass the gate, and what the worker reads of them."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from llmproxy_core.model import Headers, Response
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.toolgate import Call, ToolGate

NO = "llmproxy, policy no-shell: this call is not allowed."

type Judge = Callable[[Call], str]


def released(_: Call) -> str:
    return ""


def denied(_: Call) -> str:
    return NO


def through(
    wire: str, headers: Headers, pieces: Iterable[bytes], judge: Judge, **options: int
) -> bytes:
    gate = ToolGate(wire, headers, judge, **options)  # type: ignore[arg-type]
    out = b"".join([*map(gate.feed, pieces), gate.finish()])
    assert gate.fault is None, repr(gate.fault)
    return out


def read(wire: str, headers: Headers, body: bytes, path: str = "") -> Response:
    reader = AnswerReader(wire, 200, headers, path)
    reader.feed(body)
    return reader.finish()


EVENTS: Headers = [("Content-Type", "text/event-stream")]


def sse(*told: Any) -> bytes:
    texts = (one if isinstance(one, str) else json.dumps(one) for one in told)
    return b"".join(b"data: %b\n\n" % text.encode() for text in texts)


def events(stream: bytes) -> list[Any]:
    """What events say, in order."""
    lines = [line[6:] for line in stream.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]
