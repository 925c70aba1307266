"""Calls as the worker would read them, from what passed on the wire."""

import json
from typing import Any
from uuid import UUID

from llmproxy_core.conversations.node import Relation
from llmproxy_core.model import mapping
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Ending
from llmproxy_core.success.call import Call

SECOND = 10**9
JSON = [("content-type", "application/json")]
PATHS = {"bedrock.converse": "/model/nova/converse", "gemini": "/v1beta/models/g:generateContent"}


def id_of(number: int) -> UUID:
    return UUID(int=number)


def call(
    wire: str,
    request: dict[str, Any],
    answer: dict[str, Any] | None = None,
    *,
    number: int = 1,
    status: int = 200,
    at: float = 0,
    lasts: float = 1,
    parent: int | None = None,
    relation: Relation = "root",
    session: int = 100,
    client: str = "127.0.0.1",
    ending: Ending = "complete",
    aside: bool = False,
) -> Call:
    """`at`, `lasts`: seconds."""
    path = PATHS.get(wire, "/v1")
    read, _ = read_request(wire, path, JSON, json.dumps(request).encode())
    reader = AnswerReader(wire, status, JSON, path)
    reader.feed(json.dumps(answer).encode() if answer is not None else b"")
    return Call(
        id=id_of(number),
        ns_id=1,
        session=id_of(session),
        at=int(at * SECOND),
        ended=int((at + lasts) * SECOND),
        wire=wire,
        status=status,
        request=read,
        response=reader.finish(),
        ending=ending,
        body=mapping(request),
        client=client,
        relation=relation,
        parent=None if parent is None else id_of(parent),
        aside=aside,
    )


def chat(*said: str, answer: str = "Fine.", finish: str | None = "stop", **more: Any) -> Call:
    """A call of `openai.chat`: what user and assistant said by turns."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]
    return call(
        "openai.chat", {"model": "m", "messages": messages}, completion(answer, finish), **more
    )


def completion(text: str | None, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": text, **message}
    return {"id": "c", "choices": [{"index": 0, "message": said, "finish_reason": finish}]}


def asked_for(name: str, arguments: str) -> dict[str, Any]:
    """An answer of `openai.chat` that calls one tool."""
    called = {"id": "t1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return completion(None, "tool_calls", tool_calls=[called])
