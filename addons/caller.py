"""Whose call it is: the namespace that a call belongs to, before anybody asks for it."""

from mitmproxy import http

from addons import bridge
from llmproxy_core.pipeline import Exchange


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
            rules, head = bridge.interception().rulebook.rules, session.head
            caller = bridge.caller
            rule = rules.find(caller(flow, head, message.content)) if rules.matching else None
            session.rule = rule or rules.default
            head.namespace = session.rule.name


def _assign(flow: http.HTTPFlow, exchange: Exchange) -> None:
    rules = bridge.interception().rulebook.rules
    rule = rules.find(bridge.caller(flow, exchange.head)) if rules.matching else rules.default
    exchange.rule, exchange.head.namespace = rule, rule.name
