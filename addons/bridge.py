"""The only reader and writer of mitmproxy's messages: flow <-> core types."""

import base64
import functools
import json
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mitmproxy import connection, ctx, http, websocket

from llmproxy_core.interception import Interception
from llmproxy_core.model import Headers
from llmproxy_core.namespace import facts
from llmproxy_core.namespace.caller import Caller
from llmproxy_core.pipeline import Exchange, Head
from llmproxy_core.policies.facts import About
from llmproxy_core.providers.encoding import LIMIT
from llmproxy_core.providers.recoding import decode_whole
from llmproxy_core.providers.recognise import Match
from llmproxy_core.providers.settings import SESSION_HEADERS
from llmproxy_core.records import Answer, Ending
from llmproxy_core.websocket import WebSocketSession

logger = logging.getLogger("llmproxy")

HOST = re.compile(r"[\w.:\[\]\-]{1,255}", re.ASCII)


def interception() -> Interception:
    """What our addons share; it hangs on the master, which outlives a reload of the addons."""
    shared: Interception = ctx.master.__dict__["llmproxy"]
    return shared


def exchange(flow: http.HTTPFlow) -> Exchange | None:
    """The exchange of a flow that is an LLM call under way."""
    return interception().exchanges.get(flow.id)


def session(flow: http.HTTPFlow) -> WebSocketSession | None:
    """The open WebSocket of a flow that is recorded; None for a frame that was held and goes on now:
    every addon has seen it."""
    found = interception().sessions.get(flow.id)
    if found is None or flow.websocket is None or not flow.websocket.messages:
        return found
    frame = flow.websocket.messages[-1]
    return None if found.goes_on(frame, frame.content) else found


def upgrades(request: http.Request) -> bool:
    """Does it ask for a WebSocket?"""
    return str(request.headers.get("upgrade", "")).lower() == "websocket"


def guarded(hook: Callable[..., None]) -> Callable[..., None]:
    """Fails open: a fault of ours is told once, the flow goes on, and so do the other addons."""

    @functools.wraps(hook)
    def guard(*args: Any) -> None:
        try:
            hook(*args)
        except Exception as exc:  # noqa: BLE001
            tell_fault(hook.__qualname__, exc)

    return guard


def waiting(
    hook: Callable[..., Awaitable[None] | None],
) -> Callable[..., Awaitable[None] | None]:
    """As `guarded`, of a hook that may make its own flow wait."""

    @functools.wraps(hook)
    def guard(*args: Any) -> Awaitable[None] | None:
        try:
            work = hook(*args)
        except Exception as exc:  # noqa: BLE001
            tell_fault(hook.__qualname__, exc)
            return None
        return None if work is None else _guarded(work, hook.__qualname__)

    return guard


async def _guarded(work: Awaitable[None], where: str) -> None:
    try:
        await work
    except Exception as exc:  # noqa: BLE001
        tell_fault(where, exc)


def tell_fault(where: str, exc: Exception) -> None:
    """Log a fault and keep it as an event, once per place and kind. Never raises."""
    with suppress(Exception):  # telling of a fault must not be one
        _tell_fault(where, exc)


def _tell_fault(where: str, exc: Exception) -> None:
    frames = traceback.extract_tb(exc.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    fault = f"{where}: {type(exc).__name__} at {place}"
    faults = interception().faults
    if fault in faults or len(faults) > 100:
        return
    faults.add(fault)
    reticent = interception().reticent  # what is wrong may be told in words of the call
    told = "its words are not kept, see `capture`" if reticent else str(exc)
    logger.warning(
        f"{fault}: {told}; the traffic passes untouched", exc_info=None if reticent else exc
    )
    error = readable(f"{type(exc).__name__}: {told}")
    interception().tell("fault", where=where, error=error, place=place)


def readable(text: str) -> str:
    """A text of others for a record: without credentials, and without halves of characters."""
    return interception().heads.text(text).encode(errors="backslashreplace").decode()


def recognise(flow: http.HTTPFlow) -> tuple[str, int, Match] | None:
    """Host, port and what kind of LLM call it is; None for all other traffic.

    A host has up to three names: the one the client wrote, the one we connect to, and SNI. They
    differ in reverse mode, and where an address is used in place of a name.
    """
    request = flow.request
    if request.method == "GET" and not upgrades(request):
        return None  # of all that is read with GET, only a WebSocket is a call
    recogniser = interception().recogniser
    for host, port in _names(flow):
        if not HOST.fullmatch(host):
            continue  # a Host header may be anything: a password, an escape sequence
        if match := recogniser.match(host, port, request.method, request.path):
            return host, port, match
    return None


def _names(flow: http.HTTPFlow) -> Iterator[tuple[str, int]]:
    request = flow.request
    yield request.pretty_host, request.port
    if request.host != request.pretty_host:
        yield request.host, request.port
    if flow.client_conn.sni and flow.client_conn.sni != request.pretty_host:
        yield flow.client_conn.sni, request.port


def head(flow: http.HTTPFlow, host: str, port: int, match: Match) -> Head:
    """The head of a request, credentials replaced."""
    request, shared = flow.request, interception()
    fields = headers(request.headers)
    path = _text(request.data.path)
    return Head(
        client=address(flow.client_conn),
        proxy_user=_proxy_user(flow),
        credential=shared.scrubber.credential(fields, path),
        provider=match.provider,
        wire=match.wire,
        scheme=request.scheme,
        host=host,
        port=port,
        method=request.method,
        path=shared.heads.path(path),
        http_version=request.http_version,
        headers=shared.heads.headers(fields),
    )


def caller(flow: http.HTTPFlow, head: Head, frame: bytes | None = None) -> Caller:
    """Who makes a call; with what only a body tells if the rules of namespaces ask for it.

    `frame`: of a WebSocket's client; in place of the body.
    """
    request, rules = flow.request, interception().rulebook.rules
    fields, body = headers(request.headers), b""
    if rules.needs_model or rules.needs_session:
        body = plain_body(flow) if frame is None else frame
    made = Caller(
        proxy_user=head.proxy_user,
        client=head.client,
        headers=fields,
        key=head.credential,
        provider=head.provider,
    )
    if rules.needs_model:
        made.model = facts.model(_text(request.data.path), body)
    if rules.needs_session:
        owner = (head.proxy_user, head.credential)
        made.sessions = interception().folders.sessions(owner, fields, body)
    return made


def about(flow: http.HTTPFlow, head: Head, body: bytes, asked: Collection[str]) -> About:
    """What policies may ask of a call. `body`: without its content coding, or a frame. `asked`: the
    variables that they look at."""
    request = flow.request
    fields = headers(request.headers)
    path = _text(request.data.path)
    return About(
        namespace=head.namespace,
        provider=head.provider,
        wire=head.wire,
        host=head.host,
        method=head.method,
        path=head.path,
        at=time.time(),
        client=head.client,
        user_agent=request.headers.get("user-agent"),
        proxy_user=head.proxy_user,
        credential=head.credential,
        session=_session(fields, body) if "session.id" in asked else None,
        model=facts.model(path, body),
        body_bytes=len(body),
    )


def plain_body(flow: http.HTTPFlow) -> bytes:
    """The body of a request without its content coding; empty if it cannot be read."""
    return decoded_body(flow) or b""


def put_body(flow: http.HTTPFlow, body: bytes) -> None:
    """Send another body, in the content coding of the one that came."""
    flow.request.raw_content = body
    if "content-length" in flow.request.headers:
        flow.request.headers["content-length"] = str(len(body))


def put_headers(flow: http.HTTPFlow, fields: Headers) -> None:
    """Send other header fields; those that stay keep their bytes."""
    before = zip(headers(flow.request.headers), flow.request.headers.fields, strict=True)
    came = dict(before)
    flow.request.headers = http.Headers(
        [came.get(one) or (one[0].encode(), one[1].encode()) for one in fields]
    )


def decoded_body(flow: http.HTTPFlow, limit: int = LIMIT) -> bytes | None:
    """The same; None if its content coding cannot be undone, or it has more bytes than `limit`."""
    body = flow.request.raw_content or b""
    if "content-encoding" not in flow.request.headers:
        return body if len(body) <= limit else None
    return decode_whole(headers(flow.request.headers), body, limit)


def answer(response: http.Response, at: int) -> Answer:
    """The head of an answer, credentials replaced. `at`: ns since 1970."""
    return Answer(
        at=at,
        status=response.status_code,
        reason=readable(_text(response.data.reason)),
        http_version=response.http_version,
        headers=interception().heads.headers(headers(response.headers)),
    )


def frame(message: websocket.WebSocketMessage, content: bytes) -> bytes:
    """A WebSocket message as one line of JSON: {"from", "type", "at" (ns), "data"}.

    `content`: its bytes on the provider's side. `data` is text, or base64 of a binary message. So
    a session is stored as NDJSON.
    """
    text = message.is_text
    line = {
        "from": "client" if message.from_client else "server",
        "type": "text" if text else "binary",
        "at": int(message.timestamp * 1e9),
        "data": _frame_text(content) if text else base64.b64encode(content).decode(),
    }
    return json.dumps(line, ensure_ascii=True).encode() + b"\n"


def headers(message_headers: http.Headers) -> Headers:
    """Header fields in order; bytes that are not UTF-8 are read as Latin-1."""
    return [(_text(name), _text(value)) for name, value in message_headers.fields]


def address(conn: connection.Client) -> str:
    """`127.0.0.1:53124`, or `[::1]:53124`."""
    host, port = conn.peername[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def declared_length(message: http.Message) -> int:
    """Content-Length in bytes; 0 if there is none, or none that is a number."""
    value = message.headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def counted_length(flow: http.HTTPFlow) -> int:
    """The Content-Length by which an HTTP/1 client knows the end of its answer; else -1."""
    response = flow.response
    if response is None or flow.request.http_version not in ("HTTP/1.0", "HTTP/1.1"):
        return -1
    value = response.headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else -1


def ending(flow: http.HTTPFlow) -> Ending:
    """Who ended a flow that failed. mitmproxy words a reset of HTTP/2 alike on both sides."""
    message = flow.error.msg if flow.error else ""
    if not flow.client_conn.connected or "client disconnected" in message.lower():
        return "client_closed"
    if message.startswith("stream reset by client"):
        return "client_closed" if flow.request.is_http2 else "server_closed"
    if "server" in message or not flow.server_conn.connected:
        return "server_closed"
    return "error"


def _session(fields: Headers, body: bytes) -> str | None:
    named = (value for name, value in fields if name.lower() in SESSION_HEADERS)
    return next(named, None) or next(iter(facts.session(body).ids), None)


def _proxy_user(flow: http.HTTPFlow) -> str | None:
    """Who logged in to the proxy. mitmproxy leaves the password beside the name: drop both."""
    login = flow.metadata.pop("proxyauth", None)
    return str(login[0]) if login else None


def _frame_text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
