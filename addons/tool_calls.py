"""Hold each call of a tool in an answer until policies have decided about it.

Only where a policy asks about calls of tools. Texts flow on meanwhile. A call that may pass goes on
byte for byte; else a text takes its place that says why, in the wire format of the answer. Where the
provider remembers the call and wants a result of it, it gets one that says so.
"""

from typing import Any

import msgspec
from mitmproxy import ctx, http
from mitmproxy.websocket import WebSocketMessage

from addons import answers, bridge, layers
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.masking.excerpts import note
from llmproxy_core.namespace.signed import signed
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.approvals import Hold, Outcome, tool_key
from llmproxy_core.policies.ruling import told
from llmproxy_core.policies.tool_calls import ToolCalls as Deciding
from llmproxy_core.providers.answer_id import fetched
from llmproxy_core.providers.recoding import encode_whole
from llmproxy_core.providers.refusal import refusal
from llmproxy_core.records import Decision
from llmproxy_core.rewriting import Order, Rewriting
from llmproxy_core.toolgate import FORMATS, Call, FrameGate, ToolGate, Unanswered
from llmproxy_core.websocket import WebSocketSession

RESPONSES, SOCKET = "openai.responses", "openai.responses.websocket"


class ToolCalls:
    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange, body = bridge.exchange(flow), flow.request.raw_content
        if exchange is None or exchange.opened or flow.response is not None or not body:
            return
        if exchange.head.wire == RESPONSES and not bridge.upgrades(flow.request):
            _answer_denied(flow, body)

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange, response = bridge.exchange(flow), flow.response
        if response is None or not _asks() or not 200 <= response.status_code < 300:
            return  # SDKs read answers of any such status
        if exchange is None:
            _gate_fetched(flow.request.path, response)
            return
        if exchange.head.wire not in FORMATS:
            return
        made = answers.rewriting(response, exchange)
        if made is not None:
            _add_gate(made, response, exchange)
        elif exchange.expected != 0:
            _refuse_unread(response, exchange)

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """What later requests may fetch by its id is asked about again, as part of this call."""
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.rewrite is None or not exchange.rewrite.id or not _asks():
            return
        over = Exchange(exchange.head, exchange.max_body)  # without what was found in its texts
        over.id, over.facts, over.closed = exchange.id, exchange.facts, True
        bridge.interception().fetchable[exchange.rewrite.id] = over

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        frame = flow.websocket.messages[-1]
        if frame.from_client and session.head.wire == SOCKET and not frame.dropped:
            frame.content = _unanswered().answered(frame.content)
        if frame.from_client or frame.injected or frame.dropped:
            return
        gate = session.gate = session.gate or _gate(session)
        sent = [frame.content]
        if session.restored is not None:
            sent = session.restored.feed(frame.content)
        if gate is not None:
            sent = [out for one in sent for out in gate.feed(one)]
            if gate.fault is not None:
                bridge.tell_fault("ToolCalls.websocket_message", gate.fault)
        if gate is not None or session.restored is not None:
            _send_on(flow, session, frame, sent)
        if gate is not None:
            for reply in gate.replies():
                _inject(flow, reply, frame.is_text, to_client=False)

    @bridge.guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """What is held reaches nobody; but it is judged, so that it can be told."""
        session = bridge.session(flow)
        if session is not None and session.gate is not None:
            session.gate.finish()


def _add_gate(made: Rewriting, response: http.Response, exchange: Exchange) -> None:
    deciding, unanswered = _deciding(exchange, exchange.facts), _unanswered()

    def judge(call: Call) -> str:
        call.said = deciding.decide(call.name, call.arguments, call.cut != "large")
        if call.denied:
            unanswered.remember(made.id, call)
        return call.said

    gate = ToolGate(
        exchange.head.wire,
        bridge.headers(response.headers),
        judge,
        limit=exchange.max_body,
        closed=_closed(),
    )
    made.add(Order.TOOL_CALLS, gate)


def _gate_fetched(path: str, response: http.Response) -> None:
    """An answer that was made in the background; what is decided is an event, as its call is over."""
    id, wire = fetched(path) or ("", "")
    shared = bridge.interception()
    exchange = shared.fetchable.get(id)
    if exchange is None or exchange.head.wire != wire:
        return
    if (made := answers.fetching(response, wire, "ToolCalls.fetched")) is not None:
        _add_gate(made, response, exchange)


def _answer_denied(flow: http.HTTPFlow, body: bytes) -> None:
    """A request that goes on from an answer of which a call was denied."""
    fields = bridge.headers(flow.request.headers)
    plain = bridge.decoded_body(flow)
    if plain is None or (ours := _unanswered().answered(plain)) is plain:
        return
    if not signed(fields, flow.request.path):
        bridge.put_body(flow, encode_whole(fields, ours, body))


def _unanswered() -> Unanswered:
    return bridge.interception().unanswered


def _refuse_unread(response: http.Response, exchange: Exchange) -> None:
    """An answer in a content coding that nobody here knows."""
    asked = bridge.interception().rulebook.policies.of("tool_call")
    policy = next((one for one in asked if one.closed and one.enforced), None)
    if policy is None or exchange.head.wire not in FORMATS:
        return
    said = told(policy, "this answer cannot be read, so its calls of tools cannot be judged")
    decided = Decision(policy.name, policy.mode, policy.action, "refused unjudged", said)
    exchange.judgement.decisions.append(decided)
    answers.replace(response, exchange, refusal(exchange.head.wire, "unavailable", said))


def _gate(session: WebSocketSession) -> FrameGate | None:
    if not _asks():
        return None
    limit = bridge.interception().config.capture.max_body

    def judge(call: Call) -> str:
        turn = session.answering or Exchange(session.head, limit)
        deciding = _deciding(turn, session.facts)
        call.said = deciding.decide(call.name, call.arguments, call.cut != "large")
        if call.denied:
            _unanswered().remember(gate.id, call)
        return call.said

    gate = FrameGate(session.head.wire, judge, limit=limit, closed=_closed())
    return gate


def _send_on(
    flow: http.HTTPFlow, session: WebSocketSession, frame: WebSocketMessage, sent: list[bytes]
) -> None:
    """One frame takes the place of the one that came, others follow it."""
    came = frame.content
    if sent and not session.on_way:
        if sent[0] is not came:
            session.came = session.came or came
            frame.content = sent[0]
        sent = sent[1:]
    else:
        frame.drop()
    session.on_way += sent
    if sent and not layers.put_after(flow, sent, is_text=frame.is_text):
        for one in sent:
            _inject(flow, one, frame.is_text, to_client=True)


def _inject(flow: http.HTTPFlow, frame: bytes, is_text: bool, *, to_client: bool) -> None:
    ctx.master.commands.call("inject.websocket", flow, to_client, frame, is_text)


def _asks() -> bool:
    return bool(bridge.interception().rulebook.policies.of("tool_call"))


def _closed() -> bool:
    asked = bridge.interception().rulebook.policies.of("tool_call")
    return any(one.closed and one.enforced for one in asked)


def _deciding(call: Exchange, facts: dict[str, Any]) -> Deciding:
    shared = bridge.interception()
    rules, namespace = shared.rulebook, call.head.namespace

    def judge(text: Text) -> Judged:
        return shared.verdicts.text(text).worth_telling(rules.learned, namespace)

    def ask(hold: Hold, tool: str, arguments: str) -> Outcome:
        return shared.approvals.tool(call.id, hold, tool_key(namespace, tool, arguments))

    def write(judged: Judged, decisions: list[Decision]) -> None:
        if call.closed:
            _tell(call, decisions)
            return
        there = len(call.judgement.found)
        note(judged, call.judgement, shared.masker, call.keeper)
        call.judgement.decisions += (
            msgspec.structs.replace(one, findings=tuple(at + there for at in one.findings))
            for one in decisions
        )

    return Deciding(rules.policies, facts, judge, ask, write)


def _tell(call: Exchange, decisions: list[Decision]) -> None:
    """What is decided when the call is over has no record to be told with: it is an event."""
    for one in decisions:
        bridge.interception().tell(
            "decision",
            call=call.id.hex(),
            policy=one.policy,
            mode=one.mode,
            action=one.action,
            outcome=one.outcome,
            why=one.why,
        )
