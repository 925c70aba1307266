"""Frames of WebSockets that are refused in place of the provider."""

from mitmproxy import ctx, http

from addons import layers
from llmproxy_core.providers.refusal import Kind, refusal_frame

POLICY_VIOLATION = 1008
"""RFC 6455, 7.4.1."""


def refuse(flow: http.HTTPFlow, wire: str, kind: Kind, said: str) -> None:
    """Do not forward the latest frame; tell its sender why, in the provider's words.

    A protocol that has none is closed, with them as the reason.
    """
    if flow.websocket is None:
        return
    flow.websocket.messages[-1].drop()
    frame = refusal_frame(wire, kind, said)
    if frame is not None:
        ctx.master.commands.call("inject.websocket", flow, True, frame.encode(), True)
    else:
        layers.close_socket(flow, POLICY_VIOLATION, said)
