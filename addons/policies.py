"""Ask the policies about each call, and do what they decide.

Each policy says itself how it fails (`on_fault`): open, the call passes; closed, it is refused
where it could not be judged, or where what was decided cannot be done.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from mitmproxy import http

from addons import bridge, refusals, sockets
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.masking.excerpts import hide
from llmproxy_core.masking.masker import Secret, label
from llmproxy_core.model import Request
from llmproxy_core.pipeline import Exchange, Head
from llmproxy_core.policies.approvals import Hold
from llmproxy_core.policies.facts import READ, of_request
from llmproxy_core.policies.policy import Policy
from llmproxy_core.policies.ruling import Refused, Ruling, ruling, told, unjudged
from llmproxy_core.policies.unseen import unseen
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.frames import FRAMED, client_line
from llmproxy_core.records import Decision, Judgement
from llmproxy_core.websocket import WebSocketSession


class Policies:
    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A body too large to wait for is not judged."""
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.upload is None or not _policies():
            return
        try:
            refused = _ruled_by_head(flow, exchange)
        except Exception as exc:  # noqa: BLE001  each policy has said how it fails
            bridge.tell_fault("Policies.requestheaders", exc)
            refused = unjudged(_policies(), None)
        if refused is not None:
            _refuse(flow, exchange, refused)

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if flow.response is not None or bridge.upgrades(flow.request):
            return
        if not _asks():
            return
        policies = _policies()
        try:
            exchange.facts = _facts(flow, exchange.head, bridge.plain_body(flow))
            refused = unjudged(policies, exchange.judged, exchange.facts)
            refused = refused or _ruled(flow, exchange)
        except Exception as exc:  # noqa: BLE001  each policy has said how it fails
            bridge.tell_fault("Policies.request", exc)
            refused = unjudged(policies, None)
        if refused is not None:
            _refuse(flow, exchange, refused)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None or not _asks():
            return
        frame = flow.websocket.messages[-1]
        if not frame.from_client:
            return
        policies = _policies()
        try:
            session.facts = _facts(flow, session.head, frame.content)
            refused = unjudged(policies, session.judged, session.facts) or _ruled_frame(session)
        except Exception as exc:  # noqa: BLE001  each policy has said how it fails
            bridge.tell_fault("Policies.websocket_message", exc)
            refused = unjudged(policies, None)
        if refused is not None:
            _tell(session.judgement, refused)
            sockets.refuse(flow, session.head.wire, refused.kind, refused.said)


def _asks() -> bool:
    """Is there a policy that asks about a call before it is over?"""
    policies = bridge.interception().rulebook.policies
    return bool(policies.of("request") or policies.of("tool_call"))


def _policies() -> tuple[Policy, ...]:
    return bridge.interception().rulebook.policies.of("request")


def _ruled_by_head(flow: http.HTTPFlow, exchange: Exchange) -> Refused | None:
    policies = bridge.interception().rulebook.policies
    asked = policies.asked("request") | policies.asked("tool_call")
    about = bridge.about(flow, exchange.head, b"", asked)
    about = dataclasses.replace(about, body_bytes=bridge.declared_length(flow.request))
    exchange.facts = of_request(about, asked - READ)
    made = unseen(policies, exchange.facts, _throttle(exchange.head.namespace))
    exchange.judgement.decisions += made.decisions
    return made.refused


def _ruled(flow: http.HTTPFlow, exchange: Exchange) -> Refused | None:
    """Do what is decided; a refusal is left to the caller."""
    made = _ruling(exchange)
    if made.refused is None:
        _do(flow, exchange, made)
    return made.refused


def _ruled_frame(session: WebSocketSession) -> Refused | None:
    """The same for a frame, which cannot wait for a person: it is refused."""
    session.ruling = None
    made = _ruling(session)
    if made.refused is not None:
        return made.refused
    _keep(session, made)
    session.ruling = made
    if made.holding is not None:
        policy, why = made.holding
        return Refused(policy, "forbidden", told(policy, why))
    return None


def _facts(flow: http.HTTPFlow, head: Head, body: bytes) -> dict[str, Any]:
    policies = bridge.interception().rulebook.policies
    asked = policies.asked("request") | policies.asked("tool_call")

    def read() -> Request:
        text = client_line(body) if head.wire in FRAMED else body
        return read_request(head.wire, flow.request.path, [], text)[0]

    return of_request(bridge.about(flow, head, body, asked), asked, read)


def _ruling(call: Exchange | WebSocketSession) -> Ruling:
    """What is decided is told with the call."""
    policies, judged = bridge.interception().rulebook.policies, call.judged or Judged()
    hits = policies.hits("request", call.facts, judged.found)
    throttle, model = _throttle(call.head.namespace), call.facts["model"] or ""
    written = len(call.judgement.found) - sum(one.new for one in judged.found)
    made = ruling(hits, judged, model, throttle, max(0, written))
    call.judgement.decisions += made.decisions
    return made


def _do(flow: http.HTTPFlow, exchange: Exchange, made: Ruling) -> None:
    _keep(exchange, made)
    exchange.ruling = made
    if made.holding is not None:
        exchange.hold = _hold(made.holding[0])


def _hold(policy: Policy) -> Hold:
    settings = policy.settings
    return Hold(policy.name, settings.message, settings.timeout_seconds, settings.on_timeout)


def _keep(call: Exchange | WebSocketSession, made: Ruling) -> None:
    """What is not to be written; nor is what the provider must not get, around a finding."""
    store = [_secret(one) for one in made.store]
    wire = [_secret(one) for _, found in made.wire for one in found]
    if store and call.keeper is not None:
        call.keeper.also(store)
    if store or wire:
        hide(call.judgement, [*store, *wire], bridge.interception().masker)


def _secret(one: Located) -> Secret:
    return Secret(label(one.finding), one.value)


def _throttle(namespace: str) -> Callable[[Policy], float]:
    ask = bridge.interception().throttle.ask
    return lambda policy: ask(policy.name, policy.settings.per_minute or 1, namespace)


def _refuse(flow: http.HTTPFlow, exchange: Exchange, refused: Refused) -> None:
    _tell(exchange.judgement, refused)
    refusals.refuse(flow, exchange, refused.kind, refused.said, refused.retry_after)


def _tell(judgement: Judgement, refused: Refused) -> None:
    """What is refused because it could not be judged is a decision, too."""
    policy = refused.policy
    if not any(one.policy == policy.name for one in judgement.decisions):
        judgement.decisions.append(
            Decision(policy.name, policy.mode, policy.action, "refused unjudged", refused.said)
        )
