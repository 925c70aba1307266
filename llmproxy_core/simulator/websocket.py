"""OpenAI Responses over a WebSocket, as Codex speaks it: `response.create` in, events out.

Source: platform.openai.com/docs/guides/websocket-mode.
"""

import asyncio
import json
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import mapping
from llmproxy_core.simulator.controls import ControlError, Controls, controls
from llmproxy_core.simulator.exchange import answer, compact
from llmproxy_core.simulator.handler import Provider, Seen, World
from llmproxy_core.simulator.openai_chat import refusal
from llmproxy_core.simulator.openai_responses import OpenAIResponses

FORMAT = OpenAIResponses()


class WantsWebSocket(Matcher):
    """Requests that ask for a WebSocket, on any path."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        wanted = request.headers.get("upgrade", "").lower() == "websocket"
        return {} if wanted else None


class ResponsesSocket(WebSocketHandler):
    """Each message is one request in `World.seen`, its method `WEBSOCKET`."""

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
            body = dict(mapping(json.loads(raw)))
            if body.get("type") != "response.create":
                raise ValueError(f"unknown type {body.get('type')!r}")
            await self._answer(body, raw)
        except (ControlError, ValueError, TypeError, AttributeError) as exc:
            error = {"type": "invalid_request_error", "message": str(exc), "code": None}
            await self.write_message(compact({"type": "error", "status": 400, "error": error}))
        except WebSocketClosedError:
            pass  # the client has gone; there is nobody to tell

    async def _answer(self, body: dict[str, Any], raw: bytes) -> None:
        ask = FORMAT.read(body, self.request.path)
        header = self.request.headers.get("x-simulate")
        wanted = controls(header, ask.model, self.world.default)
        await asyncio.sleep(wanted.first / 1000)
        events = FORMAT.messages(ask, answer(ask, raw, wanted))
        if body.get("generate") is False:  # a warm-up: nothing is said
            events = FORMAT.silence(ask, answer(ask, raw, wanted))
        for number, event in enumerate(events):
            if wanted.delay and number:
                await asyncio.sleep(wanted.delay / 1000)
            if number in (wanted.reset_after, wanted.cut_after):
                self.close(1011, "Simulated end.")
                return
            await self.write_message(compact({**event, "sequence_number": number}))

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


class NoSocket(Provider):
    """A provider, or something before it, that has no WebSockets: Codex then uses HTTP."""

    async def _respond(self, seen: Seen) -> None:
        await self._whole(seen, 426, refusal(426, "WebSockets are not available."), Controls())
