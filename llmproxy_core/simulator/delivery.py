"""Putting an answer on the wire in the way that was asked for: slowly, compressed, torn, cut."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from http.client import responses
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler

from llmproxy_core.hashing import Hasher
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.encodings import encoder


class Torn(Exception):
    """The connection was broken off, as asked."""


type Note = Callable[[str], None]
"""Is told the hash of the body, in hex, just before its last byte goes out."""


async def send_whole(handler: RequestHandler, body: bytes, wanted: Controls, note: Note) -> None:
    """One body with its length."""
    coder = encoder(wanted.encoding)
    body = coder.piece(body) + coder.end()
    await asyncio.sleep(wanted.first / 1000)
    if wanted.encoding != "identity":
        handler.set_header("content-encoding", wanted.encoding)
    handler.set_header("content-length", str(len(body)))
    half = len(body) // 2
    for torn in (wanted.reset_after, wanted.cut_after):
        if torn is not None:
            handler.write(body[:half])
            await handler.flush()
            break_off(handler, reset=wanted.reset_after is not None)
            raise Torn
    handler.write(body)
    note(Hasher(body).hexdigest())
    await handler.finish()


async def send_stream(
    handler: RequestHandler, events: Iterator[bytes], wanted: Controls, note: Note
) -> None:
    """Event by event, chunked."""
    coder = encoder(wanted.encoding)
    if wanted.encoding != "identity":
        handler.set_header("content-encoding", wanted.encoding)
    line = _Trailing(handler) if wanted.trailers else _Chunked(handler)
    hasher = Hasher()
    await asyncio.sleep(wanted.first / 1000)
    await line.head()
    for count, event in enumerate(ended(events, wanted.cut_inside)):
        if wanted.delay and count:
            await asyncio.sleep(wanted.delay / 1000)
        if count in (wanted.reset_after, wanted.cut_after):
            line.break_off(reset=count == wanted.reset_after)
            raise Torn
        data = coder.piece(event)
        hasher.update(data)
        for piece in _pieces(data, wanted.grain):
            await line.write(piece)
    if wanted.cut_inside is not None:
        line.break_off(reset=False)
        raise Torn
    data = coder.end()
    hasher.update(data)
    note(hasher.hexdigest())
    await line.end(data, hasher.hexdigest())


def ended(events: Iterator[bytes], inside: str | None) -> Iterator[bytes]:
    """Up to the middle of the first place where this text stands."""
    text = (inside or "").encode()
    for event in events:
        at = event.find(text) if text else -1
        if at >= 0:
            yield event[: at + len(text) // 2]
            return
        yield event


def _pieces(data: bytes, size: int | None) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)] if size else [data]


def break_off(handler: RequestHandler, *, reset: bool) -> None:
    connection = cast(HTTP1Connection, handler.request.connection)
    _break(connection.stream, reset=reset)


def _break(stream: IOStream, *, reset: bool) -> None:
    if reset:
        # closing with a linger time of zero sends RST in place of FIN
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


class _Chunked:
    """Tornado's own chunked encoding."""

    def __init__(self, handler: RequestHandler) -> None:
        self.handler = handler

    async def head(self) -> None:
        await self.handler.flush()

    async def write(self, data: bytes) -> None:
        if data:
            self.handler.write(data)
            await self.handler.flush()

    async def end(self, data: bytes, digest: str) -> None:
        if data:
            self.handler.write(data)
        await self.handler.finish()

    def break_off(self, *, reset: bool) -> None:
        break_off(self.handler, reset=reset)


class _Trailing:
    """Chunked with trailers, written by hand: Tornado does not know them."""

    def __init__(self, handler: RequestHandler) -> None:
        handler.set_header("transfer-encoding", "chunked")
        handler.set_header("trailer", "x-simulate-answer-hash")
        handler.set_header("connection", "close")
        status = handler.get_status()
        lines = [f"HTTP/1.1 {status} {responses.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in handler._headers.get_all()]
        self.start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.stream = handler.detach()

    async def head(self) -> None:
        await self.stream.write(self.start)

    async def write(self, data: bytes) -> None:
        if data:
            await self.stream.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self, data: bytes, digest: str) -> None:
        await self.write(data)
        trailer = f"0\r\nx-simulate-answer-hash: {digest}\r\n\r\n"
        await self.stream.write(trailer.encode())
        self.stream.close()

    def break_off(self, *, reset: bool) -> None:
        _break(self.stream, reset=reset)


GONE = (Torn, StreamClosedError)
"""What ends an answer early without anything being wrong."""
