"""Hold calls until a person has decided: after they are written, before they are sent.

Fails closed: what cannot be asked about does not pass.
"""

from collections.abc import Awaitable
from dataclasses import replace

from mitmproxy import http

from addons import bridge, layers, refusals
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.approvals import Hold, Outcome
from llmproxy_core.records import Decision


class Approvals:
    @bridge.waiting
    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.hold is None or flow.response is not None:
            return None
        hold = exchange.hold
        if not exchange.recorded:  # nobody can see it to decide
            hold = replace(hold, seconds=0.0)
        return _hold(flow, exchange, hold)


async def _hold(flow: http.HTTPFlow, exchange: Exchange, hold: Hold) -> None:
    outcome = await _outcome(flow, exchange, hold)
    if outcome.passes:
        exchange.hold = None
    elif outcome.state == "gone":
        flow.kill()
    else:
        refusals.refuse(flow, exchange, "forbidden", outcome.said)


async def _outcome(flow: http.HTTPFlow, exchange: Exchange, hold: Hold) -> Outcome:
    try:
        outcome = await bridge.interception().approvals.wait(
            exchange.id, hold, lambda: layers.gone(flow)
        )
    except Exception as exc:  # noqa: BLE001  fails closed
        bridge.tell_fault("Approvals", exc)
        why = "nobody could be asked"
        outcome = Outcome("denied", False, why, f"llmproxy: the policy {hold.policy}: {why}.")
    decision = Decision(hold.policy, "active", "hold", outcome.state, outcome.why)
    exchange.judgement.decisions.append(decision)
    return outcome
