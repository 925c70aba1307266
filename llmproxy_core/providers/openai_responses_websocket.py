"""`openai.responses.websocket`: one response over a WebSocket, as Codex asks for it.

The client's frame is a `response.create` with the fields of a request of `openai.responses` in it;
the provider's are the events of its stream. A warm-up (`"generate": false`) may have come before,
with the tools and the beginning of the input: those count for the turns that follow.
Source: https://github.com/openai/codex, codex-rs/codex-api
"""

from llmproxy_core.model import Request, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, items
from llmproxy_core.providers.frames import filled, said
from llmproxy_core.providers.openai_responses import OpenAIResponses

ENVELOPE = ("type", "event_id", "generate")


class OpenAIResponsesWebSocket:
    def __init__(self) -> None:
        self._responses = OpenAIResponses()

    def request(self, body: Body, path: str) -> Request:
        asked = [f for f in said(body, "client") if text_of(f.get("type")) == "response.create"]
        warm = filled(*(frame for frame in asked if frame.get("generate") is False))
        turns = [frame for frame in asked if frame.get("generate") is not False]
        fields = filled({**warm, "input": None}, *turns) if turns else warm
        inner = filled(fields, fields.get("response"))
        bare = {key: value for key, value in inner.items() if key not in (*ENVELOPE, "response")}
        if turns:
            before = [
                tool for entry in items(warm.get("input")) for tool in items(entry.get("tools"))
            ]
            bare["tools"] = [*items(bare.get("tools")), *before]
        request = self._responses.request(bare, path)
        request.stream = True
        return request

    def answer(self, body: Body, into: Assembler) -> None:
        self._responses.answer(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type"))
        if not kind.startswith("codex."):
            self._responses.event(name, event, into)
