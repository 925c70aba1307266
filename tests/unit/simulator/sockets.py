"""A program's end of a WebSocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from llmproxy_core.simulator import Simulator


@asynccontextmanager
async def connected(
    provider: Simulator, path: str = "/v1/responses", **headers: str
) -> AsyncIterator[WebSocketClientConnection]:
    """It is closed when this ends, not only told to close."""
    url = f"ws://127.0.0.1:{provider.http_port}{path}"
    socket = await websocket_connect(HTTPRequest(url, headers=headers))
    try:
        yield socket
    finally:
        socket.close()
        while socket.close_code is None and await socket.read_message() is not None:
            pass
