"""Improve requests before they are sent: transformations, and the arms of experiments.

Fails open: what cannot be done leaves the request as it came, and the call says why. What another
client's request would get is never known here: the same conversation gets the same bytes. What a
program says of earlier answers (`x-llmproxy-feedback`) is taken out and told.
"""

import time
from collections.abc import Awaitable, Collection
from typing import Any

from mitmproxy import ctx, http

from addons import bridge, judging
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.enhancing.call import Call, Made
from llmproxy_core.enhancing.frames import joined, says
from llmproxy_core.enhancing.instant import Question
from llmproxy_core.enhancing.naming import Listener, id_in, is_named
from llmproxy_core.masking.excerpts import note
from llmproxy_core.model import Request
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.facts import of_request
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.frames import FRAMED, client_line
from llmproxy_core.providers.recoding import encode_whole
from llmproxy_core.success.feedback import HEADER, take_feedback
from llmproxy_core.websocket import WebSocketSession


class Enhance:
    def done(self) -> None:
        if ctx.master.should_exit.is_set():
            bridge.interception().enhancer.close()

    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """The header is for us, whatever the request is for."""
        if HEADER in flow.request.headers:
            _take_feedback(flow)

    @bridge.waiting
    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return None
        if flow.response is not None or bridge.upgrades(flow.request):
            return None
        shared = bridge.interception()
        improving = shared.rulebook.improving
        asks = shared.asker is not None and bool(improving.patterns)
        if not (improving or asks):
            return None
        body = bridge.decoded_body(flow, exchange.max_body)
        if body is None:
            return None
        call = _call(flow, exchange, body)
        question = shared.enhancer.question(improving, call) if asks else None
        if question is not None:
            return _asked(flow, exchange, call, question)
        _improve(flow, exchange, call)
        return None

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Later requests may name the answer in place of the conversation so far."""
        exchange, response = bridge.exchange(flow), flow.response
        if exchange is None or response is None or exchange.place is None:
            return
        place, wire = exchange.place, exchange.head.wire
        if is_named(wire) and response.status_code < 300:
            enhancer = bridge.interception().enhancer
            listener = Listener(
                wire, bridge.headers(response.headers), lambda id: enhancer.answered(id, place)
            )
            exchange.listener = listener

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        frame = flow.websocket.messages[-1]
        if not frame.from_client:
            if session.place is not None and (id := id_in(session.head.wire, frame.content)):
                bridge.interception().enhancer.answered(id, session.place)
            return
        shared = bridge.interception()
        improving = shared.rulebook.improving
        if frame.dropped or not improving or not says(session.head.wire, frame.content):
            return
        call = _call(flow, session, frame.content)
        made = shared.enhancer.request(improving, call, time.time())
        session.enhanced, session.place = joined(session.enhanced, made.enhanced), made.place
        if made.outcome.body is not frame.content:
            frame.content = made.outcome.body
            _judge_again(session, session.head.path, frame.content)


async def _asked(flow: http.HTTPFlow, exchange: Exchange, call: Call, question: Question) -> None:
    """A question is asked while the request waits, for `learning.sync_ms` at most."""
    shared = bridge.interception()
    if shared.asker is not None:
        shared.enhancer.remember(question, await shared.asker.ask(question))
    if flow.response is None and flow.error is None:
        _improve(flow, exchange, call)


def _improve(flow: http.HTTPFlow, exchange: Exchange, call: Call) -> None:
    shared = bridge.interception()
    made = shared.enhancer.request(shared.rulebook.improving, call, time.time())
    exchange.enhanced, exchange.place = made.enhanced, made.place
    _put(flow, exchange, call.body, made)


def _call(flow: http.HTTPFlow, call: Exchange | WebSocketSession, body: bytes) -> Call:
    head = call.head

    def read() -> Request:
        text = client_line(body) if head.wire in FRAMED else body
        return read_request(head.wire, flow.request.path, [], text)[0]

    def tell(asked: Collection[str]) -> dict[str, Any]:
        return of_request(bridge.about(flow, head, body, asked), asked, read)

    return Call(
        head.wire,
        flow.request.path,
        bridge.headers(flow.request.headers),
        body,
        head.namespace,
        head.proxy_user or "",
        tell,
        call.unit if isinstance(call, WebSocketSession) else b"",
    )


def _put(flow: http.HTTPFlow, exchange: Exchange, body: bytes, made: Made) -> None:
    """Send what has been made of a request."""
    outcome, head, heads = made.outcome, exchange.head, bridge.interception().heads
    came = flow.request.raw_content or b""
    before = bridge.headers(flow.request.headers)
    if outcome.path != flow.request.path:
        flow.request.path = outcome.path
        head.path = heads.path(outcome.path)
    if outcome.headers != before:
        bridge.put_headers(flow, outcome.headers)
        head.headers = heads.headers(outcome.headers)
    if outcome.body is not body:
        bridge.put_body(flow, encode_whole(before, outcome.body, came))
        _judge_again(exchange, flow.request.path, outcome.body)


def _judge_again(call: Exchange | WebSocketSession, path: str, body: bytes) -> None:
    """What was put into a request is judged with it, as policies ask; what was there, was before."""
    if call.judged is None or not bridge.interception().rulebook.policies.families("request"):
        return
    again = judging.judged(call.head, path, body, call.keeper)
    known = {(one.finding.detector, one.value) for one in call.judged.found}
    new = [one for one in again.found if (one.finding.detector, one.value) not in known]
    faults = [one for one in again.faults if one not in call.judged.faults]
    call.judged.found += new
    call.judged.faults += faults
    left = max(0, again.left - call.judged.left)
    call.judged.left += left
    told = Judged(new, left, faults)
    note(told, call.judgement, bridge.interception().masker, call.keeper)


def _take_feedback(flow: http.HTTPFlow) -> None:
    shared, exchange = bridge.interception(), bridge.exchange(flow)
    taken = take_feedback(bridge.headers(flow.request.headers))
    del flow.request.headers[HEADER]
    by = ""
    if exchange is not None:
        by = exchange.id.hex()
        exchange.head.headers = [one for one in exchange.head.headers if one[0].lower() != HEADER]
    for one in taken.feedback:
        shared.tell("feedback", about=one.id, verdict=one.verdict, by=by)
    for problem in taken.problems:
        shared.tell("feedback_unread", problem=problem, by=by)
