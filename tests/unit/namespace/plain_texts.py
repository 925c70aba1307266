"""Requests that mention tools, and what comes back of their answers."""

import json
from typing import Any

from hypothesis import strategies as st

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request

PREFIX = "pay__"
LONG = "look_up_" + "a_very_long_name_" * 4
NAMES = ("get_weather", "refund2", "read", LONG)
CHAT = "openai.chat"
EVENTS = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]


def tools(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name}} for name in names or NAMES]


def chat(text: str, *names: str) -> dict[str, Any]:
    return {"tools": tools(*names), "messages": [{"role": "user", "content": text}]}


def asked() -> Naming:
    return Naming(PREFIX, plain_text=True)


def sent_text(text: str, *names: str) -> str:
    """What the provider reads of a prompt."""
    body = json.dumps(chat(text, *names)).encode()
    naming = asked()
    out = prefix_request(CHAT, body, naming).body
    assert strip_request(CHAT, out, naming) == body
    return str(json.loads(out)["messages"][0]["content"])


def of_request() -> Naming:
    naming = asked()
    prefix_request(CHAT, json.dumps(chat("Hi")).encode(), naming)
    return naming


def back(wire: str, stream: bytes, size: int = 0, headers: Any = EVENTS) -> bytes:
    answer = restoring(wire, of_request(), headers)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert answer.fault is None
    return out


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def spoken(*texts: str | None, choice: int = 0) -> list[dict[str, Any]]:
    """Events of a chat; None: one without a text."""
    deltas: list[dict[str, Any]] = [{} if text is None else {"content": text} for text in texts]
    return [{"choices": [{"index": choice, "delta": delta}]} for delta in deltas]


PARTS = st.sampled_from(
    ["pay__get_weather", "pay__read", "get_weather", "pay", "__", "p", " ", ".", "\n", '"', "é", "日",
     "x", "_", "pay__refund", "2", *of_request().shortened, "😀", "\\", ""]
)  # fmt: skip
