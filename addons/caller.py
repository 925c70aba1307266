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


def _assign(flow: http.HTTPFlow, exchange: Exchange) -> None:
    rules = bridge.interception().rulebook.rules
    rule = rules.find(bridge.caller(flow, exchange.head)) if rules.matching else rules.default
    exchange.rule, exchange.head.namespace = rule, rule.name
