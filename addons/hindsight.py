"""Judge calls at their end of which no text is written: nobody could do it later.

Off the loop, in a thread; what is found is written when it is known. Fails open.
"""

import time

from mitmproxy import ctx, http
from mitmproxy.utils import asyncio_utils

from addons import bridge
from llmproxy_core import turns
from llmproxy_core.hindsight import Ended
from llmproxy_core.model import Headers
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.pipeline import Exchange
from llmproxy_core.records import Verdict


class Hindsight:
    def done(self) -> None:
        if ctx.master.should_exit.is_set():
            bridge.interception().hindsight.close()

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Its bytes are kept in memory until it has ended."""
        exchange = bridge.exchange(flow)
        if exchange is not None and _is_ours(exchange) and exchange.copy is None:
            exchange.copy = []

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        exchange, response = bridge.exchange(flow), flow.response
        if exchange is not None and response is not None and flow.websocket is None:
            chunks = exchange.copy or [response.raw_content or b""]
            _look(flow, exchange, response.status_code, bridge.headers(response.headers), chunks)

    @bridge.guarded
    def error(self, flow: http.HTTPFlow) -> None:
        """What came before it broke off."""
        exchange, response = bridge.exchange(flow), flow.response
        if exchange is not None and response is not None and exchange.copy:
            headers = bridge.headers(response.headers)
            _look(flow, exchange, response.status_code, headers, exchange.copy)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None or session.answering is None:
            return
        message, turn = flow.websocket.messages[-1], session.answering
        if not message.from_client and turns.ends_turn(turn.head.wire, message.content):
            last = bridge.frame(message, message.content)
            _look(flow, turn, 101, [], [*(turn.copy or ()), last])

    @bridge.guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is not None and (turn := session.answering) is not None and turn.copy:
            _look(flow, turn, 101, [], turn.copy)


def _is_ours(exchange: Exchange) -> bool:
    keeper = exchange.keeper
    judges = bridge.interception().config.anomaly.worker
    return judges and exchange.recorded and keeper is not None and keeper.skeleton


def _look(
    flow: http.HTTPFlow, exchange: Exchange, status: int, headers: Headers, chunks: list[bytes]
) -> None:
    if not _is_ours(exchange) or exchange.response.over:
        return
    head, judged = exchange.head, exchange.judged
    left = judged is not None and not judged.whole and flow.websocket is None
    ended = Ended(
        head.wire,
        head.path,
        head.namespace,
        status,
        headers,
        list(chunks),
        request=bridge.plain_body(flow) if left else None,
        known=judged.found if judged is not None else (),
        calls=not bridge.interception().rulebook.policies.of("tool_call"),
        names=ClientNames(head.prefix, head.shortened),
        facts=exchange.facts,
    )
    asyncio_utils.create_task(_judge(exchange, ended), name="llmproxy", keep_ref=True)


async def _judge(exchange: Exchange, ended: Ended) -> None:
    shared = bridge.interception()
    rules, now = shared.rulebook, time.time_ns()
    try:
        told = await shared.hindsight.judge(ended, rules.policies, rules.learned)
    except Exception as exc:  # noqa: BLE001  fails open: the call is over
        bridge.tell_fault("Hindsight", exc)
        return
    if any(told):
        shared.record(exchange, Verdict(exchange.id, now, ended.namespace, *told))
        shared.spool.wake()
