"""Frames of WebSockets that are refused in place of the provider."""

from mitmproxy import ctx, http
from mitmproxy.proxy import events
from mitmproxy.utils import asyncio_utils

from llmproxy_core.providers.refusal import Kind, refusal_frame


def refuse(flow: http.HTTPFlow, wire: str, kind: Kind, said: str) -> None:
    """Do not forward the latest frame; tell its sender why, in the provider's words.

    A protocol that has none is closed.
    """
    if flow.websocket is None:
        return
    flow.websocket.messages[-1].drop()
    frame = refusal_frame(wire, kind, said)
    if frame is None:
        _close(flow)
    else:
        ctx.master.commands.call("inject.websocket", flow, True, frame.encode(), True)


def _close(flow: http.HTTPFlow) -> None:
    """As if the provider had hung up."""
    server = ctx.master.addons.get("proxyserver")
    handler = server.connections.get(flow.client_conn.id) if server else None
    if handler is not None:
        hung_up = events.ConnectionClosed(flow.server_conn)
        asyncio_utils.create_task(
            handler.server_event(hung_up), name="llmproxy closes a websocket", keep_ref=True
        )
