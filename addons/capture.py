"""Recognise LLM calls, open their Exchange, and keep a copy of what passes.

Owns the one stream slot of a message. mitmproxy calls what is in it outside of its exception
guard, so it never raises; and whatever happens it hands on the bytes that it was given.
"""

from collections.abc import Callable
from typing import Any

from mitmproxy import http

from addons import bridge, layers
from llmproxy_core.hashing import content_hash
from llmproxy_core.pipeline import HEAD_BYTES, Body, Exchange


class Capture:
    @bridge.guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None or flow.error is not None:
            return  # refused, e.g. without the proxy's password: it goes nowhere
        found = bridge.recognise(flow)
        if found is None:
            flow.request.stream = flow.request.stream or True  # not ours: do not even buffer it
            return
        shared = bridge.interception()
        exchange = Exchange(bridge.head(flow, *found), shared.config.capture.max_body)
        exchange.keeper = shared.keeper()
        shared.exchanges[flow.id] = exchange
        size = bridge.declared_length(flow.request)
        if size > exchange.max_body:
            flow.request.stream = upload(exchange, size)

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange and flow.request.raw_content is not None:
            exchange.request_hash = content_hash(flow.request.raw_content)

    @bridge.guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response is None:
            return
        theirs = flow.response.stream
        if (exchange := bridge.exchange(flow)) is None:
            flow.response.stream = theirs or True
            return
        exchange.expected = bridge.counted_length(flow)
        exchange.owns_slot = not callable(theirs)
        if callable(theirs):
            flow.response.stream = following(theirs, tee(exchange))
        else:
            flow.response.stream = tee(exchange)

    @bridge.guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """An addon loaded after these may have put its own function into our place."""
        exchange = bridge.exchange(flow)
        if exchange is None or flow.response is None:
            return
        if flow.response.raw_content is not None:
            if exchange.waits:
                _rewrite_whole(flow.response, exchange)
            return
        if getattr(flow.response.stream, "__module__", None) != __name__:
            exchange.response.over = True
            reason = "another addon streams answers, so they are not kept; load it before addons/"
            bridge.tell_fault("Capture.response", RuntimeError(reason))

    @bridge.guarded
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        if bridge.exchange(flow) is not None:
            layers.attend(flow)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Frames are forwarded untouched; mitmproxy would keep them all, for ever."""
        if flow.websocket is not None:
            del flow.websocket.messages[:-1]


def tee(exchange: Exchange) -> Callable[[bytes], bytes | list[bytes]]:
    """A stream slot that keeps a copy, and hands on what the client is to get.

    A client that counts has all of its answer with the last byte, before any hook tells us that it
    ended; so the end is written before that byte is sent.
    """
    shared = bridge.interception()
    streaming = shared.streaming

    def keep(chunk: bytes) -> bytes | list[bytes]:
        if chunk:
            try:
                exchange.feed(chunk)
                streaming.add(exchange)
                if exchange.response.size == exchange.expected:
                    shared.close(exchange, "complete")
            except Exception as exc:  # noqa: BLE001  fails open: the bytes are the client's
                bridge.tell_fault("Capture.tee", exc)
        return chunk if exchange.rewrite is None else rewritten(exchange, chunk)

    return keep


def rewritten(exchange: Exchange, chunk: bytes) -> list[bytes]:
    """What the client gets for a chunk; at the end (no bytes) what was held back.

    mitmproxy takes b"" for the end of an answer, so "nothing now" is an empty list. After a fault
    of ours the rest passes as it comes: what went before may not fit to it, but nothing is lost.
    """
    rewrite = exchange.rewrite
    if rewrite is None:
        return [chunk]
    try:
        out = exchange.deliver(rewrite.feed(chunk) if chunk else rewrite.finish())
        if rewrite.fault is not None:
            bridge.tell_fault("Capture.rewritten", rewrite.fault)
    except Exception as exc:  # noqa: BLE001  fails open
        bridge.tell_fault("Capture.rewritten", exc)
        exchange.rewrite = None
        return [chunk]
    return [out] if out else []


def _rewrite_whole(response: http.Response, exchange: Exchange) -> None:
    """An answer that was waited for."""
    body = response.raw_content
    if not body or exchange.rewrite is None:
        return
    exchange.feed(body)
    ours = exchange.rewrite.whole(body)
    if exchange.rewrite.fault is not None:
        bridge.tell_fault("Capture.rewritten", exchange.rewrite.fault)
    if exchange.deliver(ours) is not body:
        response.raw_content = ours
        response.headers["content-length"] = str(len(ours))


def following(theirs: Callable[[bytes], Any], keep: Callable[[bytes], Any]) -> Callable[..., Any]:
    """Both in one slot: what another addon makes of the bytes is what passes, and what is kept."""

    def both(chunk: bytes) -> Any:
        passed = theirs(chunk)
        if isinstance(passed, bytes):
            return keep(passed)
        kept = [keep(part) for part in passed]
        return [out for part in kept for out in ([part] if isinstance(part, bytes) else part)]

    return both


def upload(exchange: Exchange, declared_bytes: int) -> Callable[[bytes], bytes]:
    """A stream slot for a request body over `capture.max_body`: kept are its hash and its head.

    The request is written as soon as its head is there, before any byte beyond that is sent.
    """
    body = exchange.upload = Body(exchange.max_body)
    head: list[bytes] = []

    def write_ahead() -> None:
        shared = bridge.interception()
        start = b"".join(head)[: min(HEAD_BYTES, exchange.max_body)]
        shared.record(exchange, *exchange.open_upload(declared_bytes, start))
        shared.spool.wake()

    def keep(chunk: bytes) -> bytes:
        try:
            if chunk:
                body.add(chunk)
            if not exchange.opened:
                head.append(chunk)
                if not chunk or body.size >= HEAD_BYTES:
                    write_ahead()
                    head.clear()
        except Exception as exc:  # noqa: BLE001  fails open: the bytes are the client's
            bridge.tell_fault("Capture.upload", exc)
        return chunk

    return keep
