"""Gemini's Live API in text: a setup, turns, calls of tools, over a WebSocket.

Source: https://ai.google.dev/api/live. Google's server puts its JSON into binary frames; so do we.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator.answering import answer
from llmproxy_core.simulator.exchange import Answer, Ask, Named, content_text
from llmproxy_core.simulator.gemini import Gemini, pick
from llmproxy_core.simulator.judge import offence
from llmproxy_core.simulator.websocket import Socket

GEMINI = Gemini()


class GeminiLiveSocket(Socket):
    """A session: what its setup says stays in force."""

    binary = True

    def open(self, *_: str, **__: str) -> None:
        self.setup: Mapping[str, Any] = {}

    async def respond(self, body: dict[str, Any], raw: bytes) -> None:
        wanted = self.wanted(str(mapping(body.get("setup") or self.setup).get("model")))
        if complaint := offence(_names(body), GEMINI.longest_name, wanted):
            raise ValueError(complaint)
        if "setup" in body:
            self.setup = mapping(body["setup"])
            await self.play(iter([{"setupComplete": {}}]), wanted)
        elif pick(body, "clientContent") or pick(body, "toolResponse"):
            ask = self._ask(body)
            await self.play(_events(answer(ask, raw, wanted)), wanted)
        else:
            raise ValueError(f"unknown message {', '.join(body)}")

    def error(self, message: str) -> dict[str, Any]:
        return dict(GEMINI.error(400, message))

    def _ask(self, body: Mapping[str, Any]) -> Ask:
        turns = mapping(pick(body, "clientContent")).get("turns") or [{}]
        ask = GEMINI.read({**self.setup, "contents": turns}, "/models/live:generateContent")
        ask.model = str(self.setup.get("model"))
        ask.text = ask.text or content_text([{"text": json.dumps(body)}])
        ask.answers_tool = pick(body, "toolResponse") is not None
        return ask


def _names(body: Mapping[str, Any]) -> Iterator[Named]:
    for place, name in GEMINI.names(mapping(body.get("setup"))):
        yield Named(f"setup.{place}", name)
    turns = mapping(pick(body, "clientContent")).get("turns") or []
    for place, name in GEMINI.names({"contents": turns}):
        yield Named(f"clientContent.{place}", name)
    given = pick(pick(body, "toolResponse"), "functionResponses") or []
    for index, one in enumerate(given):
        name = str(mapping(one).get("name"))
        yield Named(f"toolResponse.functionResponses[{index}].name", name)


def _events(said: Answer) -> Iterator[dict[str, Any]]:
    calls = [
        {"id": f"call_{tool.id}", "name": tool.name, "args": json.loads(tool.arguments)}
        for tool in said.tools
    ]
    if calls:
        yield {"toolCall": {"functionCalls": calls}}
        return
    for piece in said.text:
        yield {"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": piece}]}}}
    yield {"serverContent": {"generationComplete": True}}
    yield {"serverContent": {"turnComplete": True}, "usageMetadata": _usage(said)}


def _usage(said: Answer) -> dict[str, int]:
    return {
        "promptTokenCount": said.input_tokens,
        "responseTokenCount": said.output_tokens,
        "totalTokenCount": said.input_tokens + said.output_tokens,
    }
