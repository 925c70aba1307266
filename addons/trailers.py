"""Let HTTP/1.1 trailers through. mitmproxy 12 ends a connection on which one comes.

Its HTTP/1 layer raises where it reads trailers and where it should write them, while all that lies
between knows them from HTTP/2. Both places are wrapped, once for the process: reading hands the
trailers on, writing puts them into the last chunk. A message that is not chunked has no place for
trailers, and they are left out (RFC 9110, 6.5.1).
"""

import functools
from collections.abc import Callable
from typing import Any

import h11
from mitmproxy import http
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.layers.http import _http1 as http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    RequestEndOfMessage,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseTrailers,
)

LAST_CHUNK = b"0\r\n\r\n"

type Generator = layer.CommandGenerator[None]


class Trailers:
    def load(self, loader: Loader) -> None:
        if getattr(http1, "llmproxy_trailers", False):
            return
        http1.__dict__["llmproxy_trailers"] = True
        connection: Any = http1.Http1Connection
        connection.read_body = _reading(connection.read_body)
        for side in (http1.Http1Server, http1.Http1Client):
            side.send = _writing(side.send)  # type: ignore[method-assign]


class _Reader:
    """A reader of bodies that keeps the trailers for itself."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.trailers: list[tuple[bytes, bytes]] = []

    def __call__(self, buffer: Any) -> Any:
        return self._without_trailers(self._reader(buffer))

    def read_eof(self) -> Any:
        return self._without_trailers(self._reader.read_eof())

    def _without_trailers(self, event: Any) -> Any:
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            return h11.EndOfMessage()
        return event


def _reading(read_body: Callable[..., Generator]) -> Callable[..., Generator]:
    @functools.wraps(read_body)
    def wrapper(self: Any, event: Any) -> Generator:
        if not isinstance(self.body_reader, _Reader):
            self.body_reader = _Reader(self.body_reader)
        for command in read_body(self, event):
            if isinstance(command, ReceiveHttp) and self.body_reader.trailers:
                end = command.event
                trailers = http.Headers(self.body_reader.trailers)
                if isinstance(end, RequestEndOfMessage):
                    yield ReceiveHttp(RequestTrailers(end.stream_id, trailers))
                elif isinstance(end, ResponseEndOfMessage):
                    yield ReceiveHttp(ResponseTrailers(end.stream_id, trailers))
            yield command

    return wrapper


def _writing(send: Callable[..., Generator]) -> Callable[..., Generator]:
    @functools.wraps(send)
    def wrapper(self: Any, event: Any) -> Generator:
        if isinstance(event, RequestTrailers | ResponseTrailers):
            self.llmproxy_trailers = event.trailers
            return
        trailers = self.__dict__.pop("llmproxy_trailers", None) if _ends(event) else None
        for command in send(self, event):
            if trailers and isinstance(command, commands.SendData) and command.data == LAST_CHUNK:
                command = commands.SendData(command.connection, b"0\r\n%b\r\n" % bytes(trailers))
            yield command

    return wrapper


def _ends(event: Any) -> bool:
    return isinstance(event, RequestEndOfMessage | ResponseEndOfMessage)
