"""Answers of ours to requests, in place of the provider's and in its own words."""

from mitmproxy import http

from llmproxy_core.pipeline import Exchange
from llmproxy_core.providers.refusal import Kind, refusal


def refuse(
    flow: http.HTTPFlow,
    exchange: Exchange,
    kind: Kind,
    said: str,
    retry_after: float | None = None,
) -> None:
    """Answer a request that has not been sent yet. `retry_after` in seconds."""
    if exchange.upload is not None and not exchange.opened:
        # mitmproxy answers when the body has come, and cannot while it is streamed
        flow.request.stream, exchange.upload = False, None
    made = refusal(exchange.head.wire, kind, said, retry_after)
    flow.response = http.Response.make(made.status, made.body, dict(made.headers))
