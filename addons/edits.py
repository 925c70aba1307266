"""Change requests as policies say: tools that are denied go, values become placeholders.

In the answer placeholders become the values again. What is written is what the provider got, and
what it said. Where a request cannot be changed, each policy says itself how it fails (`on_fault`).
"""

from collections.abc import Iterable

import msgspec
from mitmproxy import http

from addons import answers, bridge, refusals, sockets
from llmproxy_core.masking.masker import Secret, label
from llmproxy_core.namespace.request import Call
from llmproxy_core.namespace.signed import signed
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.policy import Policy
from llmproxy_core.policies.ruling import Refused, Ruling, told
from llmproxy_core.policies.tools import Stripped, without_tools
from llmproxy_core.providers.answer_id import fetched
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.recoding import decode_whole, encode_whole
from llmproxy_core.records import Judgement
from llmproxy_core.redaction.restoring import RestoredFrames, RestoredValues
from llmproxy_core.redaction.wire import Redacted, Session
from llmproxy_core.rewriting import Order, Rewriting
from llmproxy_core.websocket import WebSocketSession

WHY = {
    "signed": "its body is signed by the program",
    "too_large": "it is larger than capture.max_body",
    "coding": "its content coding cannot be undone",
    "thoughts": "the value is in thoughts that the provider has signed",
    "missing": "a value in it was found by its meaning, not as it stands there",
    "taken": "what would stand for a value is in it already",
    "unreadable": "it is no JSON",
    "repeated": "it has a key twice",
    "batch": "its requests are in a batch",
}
PARTLY = frozenset({"thoughts", "missing"})


class Edits:
    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if flow.response is not None or bridge.upgrades(flow.request):
            return
        made = exchange.ruling or Ruling()
        refused = None
        if made.denying:
            refused = _strip(flow, exchange, made)
        if refused is None and (made.wire or _redacts()):
            refused = _redact(flow, exchange, made)
        if refused is not None:
            refusals.refuse(flow, exchange, refused.kind, refused.said)

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange, response = bridge.exchange(flow), flow.response
        if response is None or response.status_code == 101:
            return
        if content_type(response.headers.get("content-type", "")).media:
            return
        if exchange is None:
            _restore_fetched(flow.request.path, response)
        elif exchange.redacted is not None and exchange.redacted.back:
            made = answers.rewriting(response, exchange)
            _restore(made, exchange.head.wire, exchange.redacted.back, response)

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        _remember(bridge.exchange(flow))

    @bridge.guarded
    def error(self, flow: http.HTTPFlow) -> None:
        _remember(bridge.exchange(flow))

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        frame = flow.websocket.messages[-1]
        if not frame.from_client or frame.dropped:
            return
        made, session.ruling = session.ruling or Ruling(), None
        if not (made.denying or made.wire or session.values or _redacts()):
            return
        ours, refused = _changed(session, frame.content, made)
        if refused is not None:
            sockets.refuse(flow, session.head.wire, refused.kind, refused.said)
        elif ours is not frame.content:
            frame.content = ours


def _restore(
    made: Rewriting | None, wire: str, back: dict[str, str], response: http.Response
) -> None:
    if made is not None:
        fields = bridge.headers(response.headers)
        made.add(Order.PLACEHOLDERS, RestoredValues(wire, back, fields))


def _restore_fetched(path: str, response: http.Response) -> None:
    """What is fetched of an earlier answer, e.g. one of a batch."""
    id, wire = fetched(path) or ("", "")
    if id and (back := bridge.interception().redactor.fetched(id)):
        _restore(answers.fetching(response, wire, "Edits.fetched"), wire, back, response)


def _redacts() -> bool:
    """Then what was found in earlier turns is looked for as well."""
    policies = bridge.interception().rulebook.policies.of("request")
    return any(one.action == "redact_wire" and one.enforced for one in policies)


def _strip(flow: http.HTTPFlow, exchange: Exchange, made: Ruling) -> Refused | None:
    fields, body = bridge.headers(flow.request.headers), flow.request.raw_content or b""
    plain = decode_whole(fields, body, exchange.max_body)
    if plain is None:
        return _left(exchange.judgement, made.denying, "coding")
    stripped = _stripped(exchange.head.wire, plain, made)
    if stripped.left:
        return _left(exchange.judgement, made.denying, stripped.left)
    if stripped.names and signed(fields, flow.request.path):
        return _left(exchange.judgement, made.denying, "signed")
    _denied(exchange.judgement, made, stripped)
    if stripped.names:
        bridge.put_body(flow, encode_whole(fields, stripped.body, body))
    return None


def _redact(flow: http.HTTPFlow, exchange: Exchange, made: Ruling) -> Refused | None:
    head, fields = exchange.head, bridge.headers(flow.request.headers)
    body, user = flow.request.raw_content or b"", head.proxy_user or ""
    call = Call(head.provider, head.wire, flow.request.path, fields, body, user)
    redactor = bridge.interception().redactor
    redacted = exchange.redacted = redactor.request(call, head.namespace, _values(made))
    if redacted.body is not body:
        bridge.put_body(flow, redacted.body)
    return _told(exchange.judgement, made, redacted)


def _changed(session: WebSocketSession, frame: bytes, made: Ruling) -> tuple[bytes, Refused | None]:
    """A frame of the client as it is sent on."""
    head = session.head
    if made.denying:
        stripped = _stripped(head.wire, frame, made)
        frame = stripped.body if stripped.names else frame
        _denied(session.judgement, made, stripped)
    if session.values is None:
        redactor = bridge.interception().redactor
        session.values = Session(redactor, head.wire, head.namespace)
        session.restored = RestoredFrames(head.wire, session.values.back)
    redacted = session.values.frame(frame, _values(made))
    refused = _told(session.judgement, made, redacted)
    return (redacted.body if redacted.count else frame), refused


def _stripped(wire: str, body: bytes, made: Ruling) -> Stripped:
    return without_tools(wire, body, lambda name: any(one.tools(name) for one in made.denying))


def _values(made: Ruling) -> list[Secret]:
    found = (one for _, there in made.wire for one in there)
    return [Secret(label(one.finding), one.value) for one in found]


def _denied(judgement: Judgement, made: Ruling, stripped: Stripped) -> None:
    for policy in made.denying:
        names = [name for name in stripped.names if policy.tools(name)]
        _tell(judgement, policy, "denied" if names else "not offered", ", ".join(names[:10]))


def _told(judgement: Judgement, made: Ruling, redacted: Redacted) -> Refused | None:
    return _left(judgement, [one for one, _ in made.wire], redacted.left) if redacted.left else None


def _left(judgement: Judgement, policies: Iterable[Policy], why: str) -> Refused | None:
    """It stays as it is, or is refused."""
    refused = None
    for policy in policies:
        stops = policy.closed and refused is None
        outcome = "refused" if stops else "redacted in part" if why in PARTLY else "not done"
        _tell(judgement, policy, outcome, WHY.get(why, why))
        if stops:
            said = f"this call cannot be changed as it has to be: {WHY.get(why, why)}"
            refused = Refused(policy, "forbidden", told(policy, said))
    return refused


def _tell(judgement: Judgement, policy: Policy, outcome: str, why: str) -> None:
    """What became of a decision."""
    for at in reversed(range(len(judgement.decisions))):
        if judgement.decisions[at].policy == policy.name:
            before = judgement.decisions[at]
            why = f"{before.why}; {why}" if before.why and why else before.why or why
            judgement.decisions[at] = msgspec.structs.replace(before, outcome=outcome, why=why)
            return


def _remember(exchange: Exchange | None) -> None:
    """What the request had whose answer later requests may name."""
    if exchange is None or exchange.redacted is None or exchange.rewrite is None:
        return
    if exchange.rewrite.id:
        redactor, namespace = bridge.interception().redactor, exchange.head.namespace
        redactor.answered(exchange.rewrite.id, namespace, exchange.redacted)
