"""mitmproxy's own layers of a flow: what hooks are not told of it.

Layers are looked for below the connection of the client. Where a later mitmproxy has other names for
them, nothing is found.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from mitmproxy import ctx, http
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy.layers.http import HttpStream
from mitmproxy.proxy.layers.http._events import RequestProtocolError
from mitmproxy.proxy.layers.websocket import WebsocketLayer
from wsproto.events import BytesMessage, CloseConnection, Event, TextMessage

REASON_BYTES = 123
"""Room for a reason in a frame that closes a WebSocket (RFC 6455, 5.5)."""


def gone(flow: http.HTTPFlow) -> bool:
    """Has the client hung up, or, of HTTP/2, given up this request?"""
    if not flow.client_conn.state & ConnectionState.CAN_READ:
        return True
    if not flow.request.is_http2:
        return False
    stream = next((one for one in _below(flow, HttpStream) if one.flow is flow), None)
    waiting = getattr(stream, "_paused_event_queue", ())
    return any(isinstance(event, RequestProtocolError) for event in waiting)


def attend(flow: http.HTTPFlow) -> None:
    """From the start of a WebSocket on, what is put among its messages is taken before those that
    came in the same piece of data; mitmproxy itself would leave it until more data come."""
    for layer in _below(flow, WebsocketLayer):
        if layer.flow is flow:
            for side in (layer.client_ws, layer.server_ws):
                side.events = partial(_events, side)


def put_after(flow: http.HTTPFlow, frames: Iterable[bytes], *, is_text: bool) -> bool:
    """From the hook of a message of the provider: these come next, as if it had sent them. False:
    the layer is not found."""
    for layer in _below(flow, WebsocketLayer):
        if layer.flow is flow and "events" in vars(layer.server_ws):
            layer.server_ws._events.extend(
                TextMessage(frame.decode()) if is_text else BytesMessage(frame) for frame in frames
            )
            return True
    return False


def _events(side: Any) -> Iterator[Event]:
    for event in type(side).events(side):
        yield event
        while side._events:
            yield (put := side._events.popleft())
            if isinstance(put, CloseConnection):
                return  # what came with it in the same piece of data finds nobody


def close_socket(flow: http.HTTPFlow, code: int, reason: str) -> bool:
    """Close a WebSocket on both sides, from the hook of a message of the client. False: its layer
    is not found."""
    for layer in _below(flow, WebsocketLayer):
        if layer.flow is flow:
            told = reason.encode()[:REASON_BYTES].decode(errors="ignore")
            layer.client_ws._events.append(CloseConnection(code, told))
            return True
    return False


def _below(flow: http.HTTPFlow, kind: type) -> Iterator[Any]:
    """The layers of a kind of a flow's connection."""
    server: Any = ctx.master.addons.get("proxyserver")
    handler = server.connections.get(flow.client_conn.id) if server else None
    found, seen = [getattr(handler, "layer", None)], set[int]()
    while found:
        layer = found.pop()
        if layer is None or id(layer) in seen:
            continue
        seen.add(id(layer))
        if isinstance(layer, kind):
            yield layer
        found += (getattr(layer, name, None) for name in ("layer", "child_layer"))
        found.append(getattr(layer._handle_event, "__self__", None))  # of modes, all there is
        found += getattr(layer, "streams", {}).values()
