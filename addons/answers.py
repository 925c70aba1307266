"""Answers that become others on their way to the client; several addons may take part in one."""

from mitmproxy import http

from addons import bridge
from llmproxy_core.pipeline import Exchange
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.refusal import Refusal
from llmproxy_core.rewriting import Replacing, Rewriting


def rewriting(response: http.Response, exchange: Exchange) -> Rewriting | None:
    """Where stages for an answer are added, in `responseheaders`; None if nothing can be changed.

    A body with a length of its own is waited for, so that its length is right; one that comes in
    pieces is changed piece by piece.
    """
    if exchange.rewrite is not None or exchange.expected == 0:
        return exchange.rewrite
    made = Rewriting(exchange.head.wire, bridge.headers(response.headers))
    if not made.able:
        return None
    exchange.rewrite = made
    exchange.expected = -1
    streams = content_type(response.headers.get("content-type", "")).streams
    if 0 < bridge.declared_length(response) <= exchange.max_body and not streams:
        exchange.waits = exchange.owns_slot
    if exchange.waits:
        response.stream = False
    else:
        response.headers.pop("content-length", None)
    return made


def replace(response: http.Response, exchange: Exchange, made: Refusal) -> None:
    """In `responseheaders`: the client gets a refusal of ours in place of the answer."""
    response.status_code, response.reason = made.status, ""
    for name in ("content-encoding", "content-length"):
        response.headers.pop(name, None)
    for name, value in made.headers:
        response.headers[name] = value
    exchange.rewrite = Replacing(exchange.head.wire, made.body)
    exchange.expected = -1


class Slot:
    """A stream slot for what is no exchange; mitmproxy calls it outside of its guard, last with no
    bytes. `where`: whose it is, for a fault."""

    def __init__(self, answer: Rewriting, where: str) -> None:
        self.answer = answer
        self._where = where

    def __call__(self, chunk: bytes) -> list[bytes]:
        try:
            out = self.answer.feed(chunk) if chunk else self.answer.finish()
            if self.answer.fault is not None:
                bridge.tell_fault(self._where, self.answer.fault)
        except Exception as exc:  # noqa: BLE001  fails open: the bytes are the client's
            bridge.tell_fault(self._where, exc)
            out = chunk
        return [out] if out else []


def fetching(response: http.Response, wire: str, where: str) -> Rewriting | None:
    """Where stages are added for what is fetched of an earlier answer; None if nothing can be
    changed."""
    if isinstance(response.stream, Slot):
        return response.stream.answer
    if callable(response.stream):
        return None
    made = Rewriting(wire, bridge.headers(response.headers))
    if not made.able:
        return None
    response.headers.pop("content-length", None)
    response.stream = Slot(made, where)
    return made
