"""Seal exchanges, append them to the spool, keep the worker alive.

A request is written before it is forwarded; pieces of a streamed answer every 50 ms; the end as
soon as it is known. Flows that are under way when mitmproxy stops still come here after `done`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Coroutine

from mitmproxy import http
from mitmproxy.utils import asyncio_utils

from addons import bridge
from llmproxy_core.masking.secret_masking import LARGE
from llmproxy_core.pipeline import EMPTY, Exchange
from llmproxy_core.records import Ending, Opened
from llmproxy_core.supervision import WorkerChild
from llmproxy_core.websocket import WebSocketSession, Written

PIECE_SECONDS = 0.05
CODED = 2**14
"""Bytes of a body in a content coding that may be large."""
SYNC_SECONDS = 1.0

logger = logging.getLogger("llmproxy")


class Persist:
    def __init__(self) -> None:
        self._ticking = False

    def running(self) -> None:
        shared = bridge.interception()
        if shared.tasks:
            return  # reloaded: the worker is there already
        shared.tasks.add(_spawn(_sync_now_and_then()))
        shared.tasks.add(_spawn(shared.rulebook.keep_fresh()))
        if shared.config.worker.child:
            child = WorkerChild(shared.home, shared.config)
            shared.tasks.add(_spawn(child.keep_alive()))

    @bridge.waiting
    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or bridge.upgrades(flow.request):
            return None
        if _takes_long(flow, exchange):
            return _open_meanwhile(flow, exchange)
        _open(flow, exchange)
        return None

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is not None and flow.response is not None:
            exchange.answered(bridge.answer(flow.response, time.time_ns()))
            if exchange.expected == 0:
                bridge.interception().close(exchange, "complete")  # see capture.tee
            self._start_ticking()

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or flow.response is None or flow.websocket is not None:
            return
        if not exchange.opened:
            _open(flow, exchange)  # a WebSocket that was refused
        if not exchange.response.size and flow.response.raw_content:
            exchange.feed(flow.response.raw_content)  # answered by an addon: nothing was streamed
        _seal(flow, exchange, "complete")

    @bridge.guarded
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        shared = bridge.interception()
        exchange = shared.exchanges.pop(flow.id, None)
        if exchange is None or exchange.answer is None:
            return
        session = WebSocketSession(exchange.head, exchange.max_body, exchange.answer)
        session.rule, session.recorded = exchange.rule, exchange.recorded
        session.keeper = exchange.keeper.frames() if exchange.keeper else None
        shared.sessions[flow.id] = session

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        take = session.client if message.from_client else session.server
        content, session.came = session.came or message.content, None
        _write(session, take(content, bridge.frame(message, content)))
        bridge.interception().streaming.add(session)
        self._start_ticking()

    @bridge.guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        if flow.websocket is not None:
            by_client = flow.websocket.closed_by_client
            _close(flow, "client_closed" if by_client else "server_closed")

    @bridge.guarded
    def error(self, flow: http.HTTPFlow) -> None:
        if (exchange := bridge.exchange(flow)) is not None:
            _seal(flow, exchange, bridge.ending(flow))
        _close(flow, bridge.ending(flow))

    def _start_ticking(self) -> None:
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(PIECE_SECONDS, self._tick)

    def _tick(self) -> None:
        """Write what has streamed in; goes on as long as there are answers under way."""
        self._ticking = False
        shared = bridge.interception()
        for answer in shared.streaming:
            _write_pieces(answer)
        if shared.streaming:
            shared.spool.wake()
            shared.streaming.clear()
        if shared.exchanges or shared.sessions:
            self._start_ticking()


def _spawn(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    return asyncio_utils.create_task(work, name="llmproxy", keep_ref=True)


def _takes_long(flow: http.HTTPFlow, exchange: Exchange) -> bool:
    """Is it worth a thread to mask its body? One of a few megabytes may take a second."""
    body, keeper = flow.request.raw_content, exchange.keeper
    if body is None or exchange.request_hash is None or keeper is None or keeper.skeleton:
        return False
    return len(body) >= (CODED if "content-encoding" in flow.request.headers else LARGE)


async def _open_meanwhile(flow: http.HTTPFlow, exchange: Exchange) -> None:
    """Other calls go on while this one waits for what is to be written of it."""
    body, hash_in = flow.request.raw_content or b"", exchange.request_hash or EMPTY
    _opened(exchange, *await asyncio.to_thread(exchange.open, body, hash_in))


def _open(flow: http.HTTPFlow, exchange: Exchange) -> None:
    body, hash_in = flow.request.raw_content, exchange.request_hash
    if body is not None and hash_in is not None:
        _opened(exchange, *exchange.open(body, hash_in))
    else:  # another addon had it streamed: nobody has seen it
        size = bridge.declared_length(flow.request)
        _opened(exchange, *exchange.open_upload(size, b""))


def _opened(exchange: Exchange, record: Opened, body: list[bytes]) -> None:
    shared = bridge.interception()
    shared.record(exchange, record, body)
    shared.spool.wake()
    _tell_fault(exchange)


@bridge.guarded
def _write_pieces(answer: Exchange | WebSocketSession) -> None:
    shared = bridge.interception()
    for record, body in answer.pieces():
        shared.record(answer, record, body)
    _tell_fault(answer)


def _tell_fault(call: Exchange | WebSocketSession) -> None:
    """What could not be masked has not been written."""
    if call.keeper is not None and call.keeper.fault is not None:
        bridge.tell_fault("Persist.keeper", call.keeper.fault)


def _write(session: WebSocketSession, written: list[Written]) -> None:
    """What a frame of a WebSocket begins or ends."""
    shared = bridge.interception()
    for record, body in written:
        shared.record(session, record, body)
    if written:
        shared.spool.wake()


def _close(flow: http.HTTPFlow, ending: Ending) -> None:
    """The end of a WebSocket; an answer under way stays as it is."""
    shared = bridge.interception()
    if session := shared.sessions.pop(flow.id, None):
        shared.streaming.discard(session)
        _write(
            session, session.close(ending, bridge.readable(flow.error.msg) if flow.error else None)
        )


def _seal(flow: http.HTTPFlow, exchange: Exchange, ending: Ending) -> None:
    """One that was never opened is forgotten: the client went away before its request was whole,
    and nothing was forwarded."""
    shared = bridge.interception()
    del shared.exchanges[flow.id]
    error = bridge.readable(flow.error.msg) if flow.error else None
    trailers = flow.response.trailers if flow.response else None
    told = shared.heads.headers(bridge.headers(trailers)) if trailers else None
    shared.close(exchange, ending, error, told)
    _tell_fault(exchange)


async def _sync_now_and_then() -> None:
    """A crash of the machine loses at most the last second, see `spool.fsync`."""
    shared = bridge.interception()
    while shared.config.spool.fsync == "interval":
        await asyncio.sleep(SYNC_SECONDS)
        with contextlib.suppress(OSError):  # the next append meets the same disk, and counts it
            await asyncio.to_thread(shared.spool.sync)
