"""Count each call before it is sent, and correct what was counted when it has ended.

Fails open: a call that cannot be counted passes. Of a WebSocket each turn is a call.
"""

from collections.abc import Awaitable

from mitmproxy import ctx, http, websocket
from mitmproxy.utils import asyncio_utils

from addons import bridge, refusals, sockets
from llmproxy_core import turns
from llmproxy_core.limits import Refusal
from llmproxy_core.metering.metering import About
from llmproxy_core.metering.usage import Answered, tells
from llmproxy_core.namespace import facts
from llmproxy_core.pipeline import Exchange, Head
from llmproxy_core.websocket import WebSocketSession

FRAMES = 8
"""Of an answer, those that tell what it takes: the latest."""


class Limits:
    def running(self) -> None:
        metering = bridge.interception().metering
        if not metering.kept:  # else it is a reload
            metering.kept = True
            for work in (metering.keep_fresh(), metering.keep_up()):
                asyncio_utils.create_task(work, name="llmproxy", keep_ref=True)

    async def done(self) -> None:
        if ctx.master.should_exit.is_set():
            await bridge.interception().metering.close()

    @bridge.waiting
    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """What goes on before its body is there is known by its headers alone."""
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.upload is None or not _asks(flow):
            return None
        return _ask(flow, exchange, bridge.declared_length(flow.request))

    @bridge.waiting
    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return None
        if bridge.upgrades(flow.request) or not _asks(flow):
            return None
        return _ask(flow, exchange)

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """What another addon has answered was not sent; its body is there already."""
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.reserved is None or flow.response is None:
            return
        if flow.response.raw_content is not None:
            bridge.interception().metering.release(exchange.reserved)
            exchange.reserved = None

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is not None and flow.response is not None and flow.websocket is None:
            _settle(exchange, _answered(exchange, flow.response))

    @bridge.guarded
    def error(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is not None and exchange.reserved is not None and _unsent(flow, exchange):
            bridge.interception().metering.release(exchange.reserved)
        elif exchange is not None:
            _settle(exchange, None)
        _leave(flow)

    @bridge.waiting
    def websocket_message(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return None
        message = flow.websocket.messages[-1]
        if message.dropped or not (bridge.interception().metering.active or session.reserved):
            return None
        if not message.from_client:
            _turn(session, message)
            return None
        if b'"model"' in message.content or turns.ESCAPED.search(message.content, 0, turns.NEAR):
            session.model = facts.model("", message.content) or session.model
        if turns.begins_turn(session.head.wire, message.content):
            return _ask_turn(flow, session, message.content)
        return None

    @bridge.guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        _leave(flow)


def _asks(flow: http.HTTPFlow) -> bool:
    return flow.response is None and bridge.interception().metering.active


def _about(head: Head) -> About:
    return About(
        head.namespace,
        head.credential or "",
        head.proxy_user or "",
        head.provider,
        head.wire,
        head.path,
    )


async def _ask(flow: http.HTTPFlow, exchange: Exchange, unread_bytes: int = 0) -> None:
    found = await bridge.interception().metering.ask(
        _about(exchange.head), lambda: bridge.plain_body(flow), unread_bytes=unread_bytes
    )
    if isinstance(found, Refusal):
        refusals.refuse(flow, exchange, "rate_limited", found.said, found.retry_after)
        return
    exchange.reserved = found
    if found.call.measured and exchange.copy is None:
        exchange.copy = []


def _answered(exchange: Exchange, response: http.Response) -> Answered | None:
    """An answer that is to be read; None: it need not, or cannot be."""
    if exchange.reserved is None or exchange.copy is None or exchange.response.over:
        return None
    body = exchange.copy or [response.raw_content or b""]
    head = exchange.head
    return Answered(
        head.wire, head.path, response.status_code, bridge.headers(response.headers), body
    )


def _settle(exchange: Exchange, answer: Answered | None) -> None:
    reserved, exchange.reserved = exchange.reserved, None
    if reserved is not None:
        bridge.interception().metering.settle(reserved, answer)


def _unsent(flow: http.HTTPFlow, exchange: Exchange) -> bool:
    """It never reached the provider: it was held and not let through, or nobody was there."""
    server = flow.server_conn
    connected = server.timestamp_tcp_setup is not None and (
        not server.tls or server.timestamp_tls_setup is not None
    )
    return exchange.hold is not None or not connected


async def _ask_turn(flow: http.HTTPFlow, session: WebSocketSession, frame: bytes) -> None:
    found = await bridge.interception().metering.ask(
        _about(session.head), lambda: frame, session.model
    )
    if isinstance(found, Refusal):
        sockets.refuse(flow, session.head.wire, "rate_limited", found.said)
    else:
        session.reserved.append(found)


def _turn(session: WebSocketSession, message: websocket.WebSocketMessage) -> None:
    """A frame of the provider; or of ours, which ends no turn that was counted."""
    if message.injected:
        return
    head, content = session.head, message.content
    if tells(content):
        session.usage = [*session.usage, bridge.frame(message, content)][-FRAMES:]
    if not turns.ends_turn(head.wire, content):
        return
    told, session.usage = session.usage, []
    answer = Answered(head.wire, head.path, 101, [], told) if told else None
    metering = bridge.interception().metering
    if session.reserved:
        metering.settle(session.reserved.popleft(), answer)
    elif answer is not None:
        metering.count(_about(head), session.model, answer)


def _leave(flow: http.HTTPFlow) -> None:
    """The end of a WebSocket, and of turns that nobody has ended."""
    session = bridge.session(flow)
    while session is not None and session.reserved:
        bridge.interception().metering.settle(session.reserved.popleft(), None)
