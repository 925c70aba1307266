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
from h11._readers import ChunkedReader
from mitmproxy import http
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.layers.http import _http1 as http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import RequestTrailers, ResponseTrailers

LAST_CHUNK = b"0\r\n\r\n"
TRAILERS = (RequestTrailers, ResponseTrailers)

type Generator = layer.CommandGenerator[None]


class Trailers:
    def load(self, loader: Loader) -> None:
        if getattr(http1, "llmproxy_trailers", False):
            return
        http1.__dict__["llmproxy_trailers"] = True
        http1.__dict__["ChunkedReader"] = Reader
        connection: Any = http1.Http1Connection
        connection.read_body = _reading(connection.read_body)
        for side in (http1.Http1Server, http1.Http1Client):
            side.send = _writing(side.send)  # type: ignore[method-assign]


class Reader(ChunkedReader):
    """Reads a chunked body and remembers how it ended."""

    end: h11.EndOfMessage

    def __call__(self, buffer: Any) -> Any:
        event = super().__call__(buffer)
        if type(event) is h11.EndOfMessage:
            self.end = event
        return event


def _reading(read_body: Callable[..., Generator]) -> Callable[..., Generator]:
    @functools.wraps(read_body)
    def wrapper(self: Any, event: Any) -> Generator:
        try:
            yield from read_body(self, event)
        except NotImplementedError:  # so mitmproxy says that there are trailers
            server = isinstance(self, http1.Http1Server)
            kind = RequestTrailers if server else ResponseTrailers
            fields = [(bytes(name), bytes(value)) for name, value in self.body_reader.end.headers]
            yield ReceiveHttp(kind(self.stream_id, http.Headers(fields)))
            yield ReceiveHttp(self.ReceiveEndOfMessage(self.stream_id))
            yield from self.mark_done(request=server, response=not server)

    return wrapper


def _writing(send: Callable[..., Generator]) -> Callable[..., Generator]:
    @functools.wraps(send)
    def wrapper(self: Any, event: Any) -> Generator:
        if isinstance(event, TRAILERS):
            self.llmproxy_trailers = event.trailers
            return iter(())  # type: ignore[return-value]
        if "llmproxy_trailers" in self.__dict__:
            return _with_trailers(send(self, event), self.__dict__.pop("llmproxy_trailers"))
        return send(self, event)

    return wrapper


def _with_trailers(end: Generator, trailers: http.Headers) -> Generator:
    """The commands of an end of message, trailers put into its last chunk."""
    for command in end:
        if isinstance(command, commands.SendData) and command.data == LAST_CHUNK:
            command = commands.SendData(command.connection, b"0\r\n%b\r\n" % bytes(trailers))
        yield command
