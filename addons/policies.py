"""Ask the policies about each call, and do what they decide.

Each policy says itself how it fails (`on_fault`): open, the call passes; closed, it is refused
where it could not be judged, or where what was decided cannot be done.
"""

from collections.abc import Callable

from mitmproxy import http

from addons import bridge
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.approvals import Hold
from llmproxy_core.policies.facts import of_request
from llmproxy_core.policies.policy import Policy
from llmproxy_core.policies.ruling import Refused, Ruling, ruling, unjudged
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.refusal import refusal
from llmproxy_core.records import Decision
from llmproxy_core.redaction.masking import Secret, label


class Policies:
    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A body too large to wait for is not judged."""
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.upload is None:
            return
        if refused := unjudged(_policies(), None):
            # mitmproxy answers when the body has come, and cannot while it is streamed
            flow.request.stream, exchange.upload = False, None
            _refuse(flow, exchange, refused)

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if flow.response is not None or bridge.upgrades(flow.request):
            return
        policies = _policies()
        if not policies:
            return
        try:
            refused = unjudged(policies, exchange.judged) or _ruled(flow, exchange)
        except Exception as exc:  # noqa: BLE001  each policy has said how it fails
            bridge.tell_fault("Policies.request", exc)
            refused = unjudged(policies, None)
        if refused is not None:
            _refuse(flow, exchange, refused)


def _policies() -> tuple[Policy, ...]:
    return bridge.interception().rulebook.policies.of("request")


def _ruled(flow: http.HTTPFlow, exchange: Exchange) -> Refused | None:
    """Do what is decided; a refusal is left to the caller."""
    policies = bridge.interception().rulebook.policies
    head = exchange.head
    asked = policies.asked("request")
    about = bridge.about(flow, head, asked)
    facts = of_request(
        about,
        asked,
        lambda: read_request(head.wire, flow.request.path, [], bridge.plain_body(flow))[0],
    )
    judged = exchange.judged or Judged()
    hits = policies.hits("request", facts, judged.found)
    made = ruling(hits, judged, about.model or "", _throttle(head.namespace))
    exchange.judgement.decisions += made.decisions
    if made.refused is None:
        _do(flow, exchange, made)
    return made.refused


def _do(flow: http.HTTPFlow, exchange: Exchange, made: Ruling) -> None:
    if made.store and exchange.keeper is not None:
        exchange.keeper.also(Secret(label(one.finding), one.value) for one in made.store)
    if made.holding is not None:
        policy, _ = made.holding
        settings = policy.settings
        exchange.hold = Hold(
            policy.name, settings.message, settings.timeout_seconds, settings.on_timeout
        )


def _throttle(namespace: str) -> Callable[[Policy], float]:
    ask = bridge.interception().throttle.ask
    return lambda policy: ask(policy.name, policy.settings.per_minute or 1, namespace)


def _refuse(flow: http.HTTPFlow, exchange: Exchange, refused: Refused) -> None:
    """In the provider's words. What is refused because it could not be judged is told as a decision
    of its own."""
    policy = refused.policy
    if not exchange.judgement.decisions:
        exchange.judgement.decisions.append(
            Decision(policy.name, policy.mode, policy.action, "refused unjudged", refused.said)
        )
    said = refusal(exchange.head.wire, refused.kind, refused.said, refused.retry_after)
    flow.response = http.Response.make(said.status, said.body, dict(said.headers))
