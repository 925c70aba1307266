"""Put the prefix of a call's namespace on the names of its tools, take it off again.

Fails open: what cannot be changed passes as it came, and the call says why (`left_alone`). Only
`on_too_long = "refuse"` answers in place of the provider.
"""

from mitmproxy import http

from addons import answers, bridge
from llmproxy_core import turns
from llmproxy_core.namespace.answer import RestoredNames
from llmproxy_core.namespace.incoming import changed_frame
from llmproxy_core.namespace.request import Call, Sent
from llmproxy_core.pipeline import Exchange
from llmproxy_core.providers.answer_id import fetched
from llmproxy_core.providers.refusal import refusal
from llmproxy_core.rewriting import Order
from llmproxy_core.websocket import WebSocketSession


class Namespace:
    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """What goes on before its body is there is known by its headers alone."""
        exchange = bridge.exchange(flow)
        if exchange is None:
            return
        if exchange.upload is not None and exchange.rule.prefix:
            exchange.head.left_alone = "too_large"

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange, body = bridge.exchange(flow), flow.request.raw_content
        if exchange is None or exchange.opened or flow.response is not None or body is None:
            return
        if bridge.upgrades(flow.request):
            return
        head = exchange.head
        user = head.proxy_user or ""
        call = Call(head.provider, head.wire, flow.request.path, _headers(flow), body, user)
        _apply(flow, exchange, bridge.interception().prefixer.sent(call, exchange.rule))

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if flow.response is None:
            return
        if exchange is None:
            _restore_fetched(flow)
        elif exchange.naming is not None and flow.response.status_code != 101:
            _restore(flow, exchange)

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is not None:
            _remember(exchange)

    @bridge.guarded
    def error(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is not None:
            _remember(exchange)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client and not session.settled:
            _settle(flow, session, message.content)
        if session.naming is None:
            return
        content = message.content
        if message.from_client:
            prefixer, head = bridge.interception().prefixer, session.head
            sent = prefixer.frame(head.wire, content, session.naming)
            message.content = sent.body
            head.left_alone = head.left_alone or sent.reason
        else:
            message.content = changed_frame(content, session.head.wire, session.naming)
            session.came = content


def _settle(flow: http.HTTPFlow, session: WebSocketSession, frame: bytes) -> None:
    """The names of a WebSocket; what rules ask of a body, its first frames tell."""
    head = session.head
    if turns.is_empty(head.wire, frame):
        return
    session.settled = True
    user = head.proxy_user or ""
    call = Call(head.provider, head.wire, head.path, _headers(flow), b"", user)
    session.naming = bridge.interception().prefixer.session(call, session.rule)
    if session.naming is not None:
        head.prefix = session.naming.prefix.decode()
        head.shortened = session.naming.shortened


def _headers(flow: http.HTTPFlow) -> list[tuple[str, str]]:
    return bridge.headers(flow.request.headers)


def _apply(flow: http.HTTPFlow, exchange: Exchange, request: Sent) -> None:
    head = exchange.head
    head.prefix, head.left_alone = request.prefix, request.left_alone
    if request.refused:
        said = refusal(head.wire, "bad_request", request.refused)
        flow.response = http.Response.make(said.status, said.body, dict(said.headers))
        return
    exchange.naming = request.naming
    if request.naming is not None:
        head.shortened = request.naming.shortened
    if request.body is not flow.request.raw_content:
        flow.request.raw_content = request.body
        if "content-length" in flow.request.headers:
            flow.request.headers["content-length"] = str(len(request.body))


def _restore(flow: http.HTTPFlow, exchange: Exchange) -> None:
    response = flow.response
    if response is None or exchange.naming is None:
        return
    if (rewriting := answers.rewriting(response, exchange)) is not None:
        told = bridge.headers(response.headers)
        names = RestoredNames(exchange.head.wire, exchange.naming, told)
        rewriting.add(Order.NAMES, names)


def _restore_fetched(flow: http.HTTPFlow) -> None:
    """What is fetched of an answer that was given to a call with a prefix, e.g. one of a batch."""
    response, found = flow.response, fetched(flow.request.path)
    if response is None or found is None:
        return
    id, wire = found
    naming = bridge.interception().prefixer.answered(id)
    if naming is None:
        return
    if (rewriting := answers.fetching(response, wire, "Namespace.fetched")) is not None:
        told = bridge.headers(response.headers)
        rewriting.add(Order.NAMES, RestoredNames(wire, naming, told))


def _remember(exchange: Exchange) -> None:
    """With which prefix an answer was given that later requests may name."""
    if exchange.rewrite is not None and exchange.rewrite.id and exchange.naming is not None:
        bridge.interception().prefixer.remember(exchange.rewrite.id, exchange.naming)
