"""Whose call it is: the namespace that a call belongs to, before anybody asks for it."""

from mitmproxy import http

from addons import bridge
from llmproxy_core.pipeline import Exchange
from llmproxy_core.websocket import WebSocketSession


class Caller:
    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """What goes on before its body is there is known by its headers alone."""
        exchange = bridge.exchange(flow)
        if exchange is not None and (exchange.upload is not None or bridge.upgrades(flow.request)):
            _assign(flow, exchange)

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if not bridge.upgrades(flow.request):
            _assign(flow, exchange)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """What rules ask of a body, the first frames of the client tell."""
        session = bridge.session(flow)
        if session is None or session.settled or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client:
            _assign(flow, session, message.content)


def _assign(
    flow: http.HTTPFlow, call: Exchange | WebSocketSession, frame: bytes | None = None
) -> None:
    """Where it cannot be told whose call it is, no more is written than all agree to."""
    shared = bridge.interception()
    rules, framed = shared.rulebook.rules, frame is not None
    try:
        rule = rules.default
        if rules.matching:
            rule = rules.find(bridge.caller(flow, call.head, frame))
    except Exception:
        shared.settle(call, framed=framed, doubt=True)
        raise
    call.rule, call.head.namespace = rule, rule.name
    shared.settle(call, framed=framed)
