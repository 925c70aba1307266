"""The HTTP side of the simulated provider: one handler for all paths."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tornado.web import RequestHandler, stream_request_body

from llmproxy_core.hashing import Hasher
from llmproxy_core.model import Headers, mapping
from llmproxy_core.simulator.answering import answer
from llmproxy_core.simulator.anthropic_batches import PATH as BATCHES
from llmproxy_core.simulator.controls import ControlError, Controls, controls
from llmproxy_core.simulator.delivery import GONE, ended, send_stream, send_whole
from llmproxy_core.simulator.encodings import decode
from llmproxy_core.simulator.exchange import Answer, Ask, Format
from llmproxy_core.simulator.judge import offence, unsigned
from llmproxy_core.simulator.openai_chat import refusal
from llmproxy_core.simulator.past import Past
from llmproxy_core.simulator.prompt_cache import PromptCache
from llmproxy_core.simulator.prompts import Prompt
from llmproxy_core.simulator.routes import format_for, judged_like, plain

KEPT_BODY = 64 * 2**20
"""Of longer bodies only length and hash are taken; they are then not read as JSON."""


@dataclass(slots=True)
class Seen:
    """A request as it arrived. The hashes are xxh3-128 in hex, over the raw bytes of the bodies;
    `answer_hash` is empty until the whole answer was sent."""

    method: str
    host: str
    path: str
    headers: Headers
    body: bytes
    body_bytes: int = 0
    body_hash: str = ""
    status: int = 0
    answer_hash: str = ""

    def note_answer(self, digest: str) -> None:
        self.answer_hash = digest


@dataclass(slots=True)
class World:
    """What all requests share."""

    default: Controls = field(default_factory=Controls)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=10_000))
    keep_bodies: bool = False
    past: Past = field(default_factory=Past)
    cache: PromptCache = field(default_factory=PromptCache)

    def answer(
        self, ask: Ask, prompt: Prompt, raw: bytes, headers: Mapping[str, str], wanted: Controls
    ) -> Answer:
        """To a request with these bytes and headers."""
        if not wanted.caching:
            return answer(ask, raw, wanted)
        counted = self.cache.count(prompt, ask.model, _key(headers))
        reply = answer(ask, raw, wanted, counted)
        self.cache.answered(prompt, f"resp_{reply.key}", "".join(reply.text))
        return reply


@stream_request_body
class Provider(RequestHandler):
    def initialize(self, world: World) -> None:
        self.world = world
        self.hasher = Hasher()
        self.body = bytearray()
        self.length = 0

    def set_default_headers(self) -> None:
        self.set_header("server", "llmproxy-simulator")

    def data_received(self, chunk: bytes) -> None:
        self.hasher.update(chunk)
        self.length += len(chunk)
        if self.length <= KEPT_BODY:
            self.body += chunk
        else:
            self.body.clear()

    async def _serve(self, *_: str) -> None:
        seen = self._note()
        try:
            await self._respond(seen)
        except GONE:
            # asked for, or the client has hung up: there is nobody to tell
            if not self._finished:
                self._finished = True

    get = post = put = delete = head = options = patch = _serve

    def _note(self) -> Seen:
        request = self.request
        seen = Seen(
            method=str(request.method),
            host=request.host,
            path=str(request.uri),
            headers=list(request.headers.get_all()),
            body=bytes(self.body) if self.world.keep_bodies else b"",
            body_bytes=self.length,
            body_hash=self.hasher.hexdigest(),
        )
        self.world.seen.append(seen)
        self.set_header("x-simulate-request-hash", seen.body_hash)
        self.set_header("x-request-id", f"req_{seen.body_hash[:24]}")
        return seen

    async def _respond(self, seen: Seen) -> None:
        body, sound = self._json()
        form = format_for(self.request.path, self.request.query)
        try:
            ask = form.read(body, self.request.path) if form else None
            model = ask.model if ask else str(body.get("model", ""))
            wanted = controls(self.request.headers.get("x-simulate"), model, self.world.default)
            judged = form or judged_like(self.request.path)
            complaint = offence(judged.names(body), judged.longest_name, wanted) if judged else None
        except ControlError as exc:
            await self._whole(seen, 400, refusal(400, str(exc)), Controls())
            return
        except (AttributeError, TypeError, ValueError, KeyError):
            sound, ask, wanted, judged, complaint = False, None, Controls(), None, None
        if judged and complaint and sound:
            await self._whole(seen, 400, judged.error(400, complaint), Controls())
        elif form is None or ask is None or not sound or wanted.status:
            await self._other(seen, form, body, sound, wanted)
        elif unsigned(seen.headers, bytes(self.body)):
            await self._whole(seen, 403, form.error(403, "The signature does not match."), wanted)
        else:
            raw, headers = bytes(self.body), self.request.headers
            reply = self.world.answer(ask, form.prompt(body), raw, headers, wanted)
            self.world.past.answered(form, ask, reply)
            if ask.stream:
                await self._stream(seen, form, ask, reply, wanted)
            else:
                await self._whole(seen, 200, form.whole(ask, reply), wanted)

    async def _other(
        self, seen: Seen, form: Format | None, body: dict[str, Any], sound: bool, wanted: Controls
    ) -> None:
        """Everything that is not a generation: refusals, lists, counts."""
        refuse: Callable[[int, str], Any] = form.error if form else refusal
        if wanted.status:
            status, data = wanted.status, refuse(wanted.status, f"Simulated {wanted.status}.")
            if status in (429, 503, 529):
                self.set_header("retry-after", "1")
        elif not sound:
            status, data = 400, refuse(400, "The body is not valid JSON for this call.")
        else:
            found = self._plain(seen, body, wanted)
            status = 200 if found is not None else 404
            data = found or refusal(404, f"Unknown request URL: {seen.method} {seen.path}")
        await self._whole(seen, status, data, wanted)

    def _plain(self, seen: Seen, body: dict[str, Any], wanted: Controls) -> Any:
        path, past = self.request.path, self.world.past
        if (seen.method, path) == ("POST", BATCHES):
            return past.batch(body, wanted, seen.host)
        if seen.method == "GET" and (found := past.find(path)) is not None:
            return found
        return plain(seen.method, path, self.request.headers, body)

    async def _whole(self, seen: Seen, status: int, data: Any, wanted: Controls) -> None:
        self.set_status(status)
        seen.status = status
        lines = isinstance(data, str)
        self.set_header("content-type", "application/x-jsonl" if lines else "application/json")
        body = (data if lines else json.dumps(data, ensure_ascii=False)).encode()
        match wanted.malformed:
            case "json":
                body = body[: len(body) * 2 // 3]
            case "utf8":
                body = body.replace(b'"', b'"\xff\xfe', 4)
            case "html":
                self.set_header("content-type", "text/html")
                body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            case "empty":
                body = b""
        if wanted.grain:
            await send_stream(self, iter([body]), wanted, seen.note_answer)
        else:
            await send_whole(self, body, wanted, seen.note_answer)

    async def _stream(
        self, seen: Seen, form: Format, ask: Ask, reply: Answer, wanted: Controls
    ) -> None:
        seen.status = 200
        self.set_header("content-type", form.content_type)
        self.set_header("cache-control", "no-cache")
        events = _bent(form, ask, reply, wanted)
        await send_stream(self, events, wanted, seen.note_answer)

    def _json(self) -> tuple[dict[str, Any], bool]:
        """The body as an object, and whether it was one (no body at all is fine)."""
        raw = decode(bytes(self.body), self.request.headers.get("content-encoding", ""))
        if not raw:
            return {}, self.length == 0
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError):
            return {}, False
        return dict(mapping(data)), isinstance(data, dict)


def _key(headers: Mapping[str, str]) -> str:
    """Whose cache it is."""
    named = (headers.get(name) for name in ("authorization", "x-api-key", "x-goog-api-key"))
    return next(filter(None, named), "")


def _bent(form: Format, ask: Ask, reply: Answer, wanted: Controls) -> Iterator[bytes]:
    if wanted.malformed == "empty":
        return
    for count, event in enumerate(ended(form.events(ask, reply), wanted.end_inside)):
        if count == wanted.error_after:
            yield form.error_event("Simulated failure inside a stream.")
            return
        if wanted.malformed == "html" and count == 2:
            yield b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return
        if wanted.malformed == "json" and count == 2:
            yield event[: len(event) // 2] + b"\n\n"
        elif wanted.malformed == "utf8" and count == 2:
            yield event.replace(b'"', b'"\xff\xfe', 4)
        else:
            yield event
