"""Hold each call of a tool in an answer until policies have decided about it.

Only where a policy asks about calls of tools. Texts flow on meanwhile. A call that may pass goes on
byte for byte; else a text takes its place that says why, in the wire format of the answer.
"""

import msgspec
from mitmproxy import http

from addons import answers, bridge
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.approvals import Hold, Outcome, tool_key
from llmproxy_core.policies.tool_calls import ToolCalls as Deciding
from llmproxy_core.records import Decision
from llmproxy_core.redaction.excerpts import note
from llmproxy_core.rewriting import Order
from llmproxy_core.toolgate.stage import ToolGate


class ToolCalls:
    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange, response = bridge.exchange(flow), flow.response
        if exchange is None or response is None or not _asks() or response.status_code != 200:
            return
        made = answers.rewriting(response, exchange)
        if made is None:
            return
        decide = _deciding(exchange).decide
        gate = ToolGate(
            exchange.head.wire,
            bridge.headers(response.headers),
            lambda call: decide(call.name, call.arguments),
            limit=exchange.max_body,
            closed=_closed(),
        )
        made.add(Order.TOOL_CALLS, gate)


def _asks() -> bool:
    return bool(bridge.interception().rulebook.policies.of("tool_call"))


def _closed() -> bool:
    asked = bridge.interception().rulebook.policies.of("tool_call")
    return any(one.closed and one.enforced for one in asked)


def _deciding(call: Exchange) -> Deciding:
    shared = bridge.interception()
    rules, namespace = shared.rulebook, call.head.namespace

    def judge(text: Text) -> Judged:
        return shared.verdicts.text(text).worth_telling(rules.learned, namespace)

    def ask(hold: Hold, tool: str, arguments: str) -> Outcome:
        return shared.approvals.tool(call.id, hold, tool_key(namespace, tool, arguments))

    def told(judged: Judged, decisions: list[Decision]) -> None:
        there = len(call.judgement.found)
        note(judged, call.judgement, shared.masker, call.keeper)
        call.judgement.decisions += (
            msgspec.structs.replace(one, findings=tuple(at + there for at in one.findings))
            for one in decisions
        )

    return Deciding(rules.policies, call.facts, judge, ask, told)
