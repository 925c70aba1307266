"""OpenAI Responses over a WebSocket, as Codex speaks it: `response.create` in, events out.

Source: platform.openai.com/docs/guides/websocket-mode.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import mapping
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.controls import ControlError, Controls, controls
from llmproxy_core.simulator.exchange import Ask
from llmproxy_core.simulator.handler import Provider, Seen, World
from llmproxy_core.simulator.judge import offence
from llmproxy_core.simulator.openai_chat import refusal
from llmproxy_core.simulator.openai_responses import OpenAIResponses

FORMAT = OpenAIResponses()


class WantsWebSocket(Matcher):
    """Requests that ask for a WebSocket, on any path or on one that ends so."""

    def __init__(self, end: str = "") -> None:
        self.end = end

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        wanted = request.headers.get("upgrade", "").lower() == "websocket"
        return {} if wanted and request.path.endswith(self.end) else None


class Socket(WebSocketHandler, ABC):
    """Each message is one request in `World.seen`, its method `WEBSOCKET`.

    `binary`: the kind of frames in which the provider puts its JSON.
    """

    binary = False

    def initialize(self, world: World) -> None:
        self.world = world

    def check_origin(self, origin: str) -> bool:
        return True

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    async def on_message(self, message: str | bytes) -> None:
        raw = message.encode() if isinstance(message, str) else message
        self._note(raw)
        try:
            await self.respond(dict(mapping(json.loads(raw))), raw)
        except (ControlError, ValueError, TypeError, AttributeError) as exc:
            await self._send(self.error(str(exc)))
        except WebSocketClosedError:
            pass  # the client has gone; there is nobody to tell

    @abstractmethod
    async def respond(self, body: dict[str, Any], raw: bytes) -> None:
        """Answer one message.

        Raises:
            ValueError: it is refused; the text says why.
        """

    def error(self, message: str) -> dict[str, Any]:
        error = {"type": "invalid_request_error", "message": message, "code": None}
        return {"type": "error", "status": 400, "error": error}

    def wanted(self, model: str) -> Controls:
        header = self.request.headers.get("x-simulate")
        return controls(header, model, self.world.default)

    async def play(self, events: Iterator[dict[str, Any]], wanted: Controls) -> None:
        await asyncio.sleep(wanted.first / 1000)
        for number, event in enumerate(events):
            if wanted.delay and number:
                await asyncio.sleep(wanted.delay / 1000)
            if number in (wanted.reset_after, wanted.cut_after):
                self.close(1011, "Simulated end.")
                return
            await self._send(event)

    async def _send(self, event: dict[str, Any]) -> None:
        await self.write_message(compact(event).encode(), binary=self.binary)

    def _note(self, raw: bytes) -> None:
        self.world.seen.append(
            Seen(
                method="WEBSOCKET",
                host=self.request.host,
                path=str(self.request.uri),
                headers=list(self.request.headers.get_all()),
                body=raw if self.world.keep_bodies else b"",
                body_bytes=len(raw),
                body_hash=content_hash(raw).hex(),
                status=101,
            )
        )


class ResponsesSocket(Socket):
    async def respond(self, body: dict[str, Any], raw: bytes) -> None:
        if body.get("type") != "response.create":
            raise ValueError(f"unknown type {body.get('type')!r}")
        ask = FORMAT.read(body, self.request.path)
        wanted = self.wanted(ask.model)
        if complaint := offence(FORMAT.names(body), FORMAT.longest_name, wanted):
            raise ValueError(complaint)
        await self.play(self._events(ask, body, raw, wanted), wanted)

    def _events(
        self, ask: Ask, body: dict[str, Any], raw: bytes, wanted: Controls
    ) -> Iterator[dict[str, Any]]:
        # a warm-up: nothing is said
        how = FORMAT.silence if body.get("generate") is False else FORMAT.messages
        prompt = FORMAT.prompt(body)
        reply = self.world.answer(ask, prompt, raw, self.request.headers, wanted)
        for number, event in enumerate(how(ask, reply)):
            yield {**event, "sequence_number": number}


class NoSocket(Provider):
    """A provider, or something before it, that has no WebSockets: Codex then uses HTTP."""

    async def _respond(self, seen: Seen) -> None:
        await self._whole(seen, 426, refusal(426, "WebSockets are not available."), Controls())
