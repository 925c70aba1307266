"""The simulated provider as a server in a thread of its own."""

import asyncio
import socket
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tornado.httpserver import HTTPServer
from tornado.routing import AnyMatches, Rule
from tornado.web import Application

from llmproxy_core.simulator.certificate import write_certificates
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.gemini_live import GeminiLiveSocket
from llmproxy_core.simulator.handler import Provider, Seen, World
from llmproxy_core.simulator.openai_realtime import RealtimeSocket
from llmproxy_core.simulator.websocket import NoSocket, ResponsesSocket, WantsWebSocket

LARGEST_BODY = 2**30
SOCKETS = (
    ("/realtime", RealtimeSocket),
    (".BidiGenerateContent", GeminiLiveSocket),
    ("", ResponsesSocket),
)
"""By the end of the path."""
NO_SOCKETS = (("", NoSocket),)


class Simulator:
    """A provider on loopback, over HTTP and HTTPS; a context manager.

    Port 0 lets the system choose; `http_port` and `https_port` are set once it is entered.
    `ca_file` is the throw-away authority that signed its certificate. `seen` lists the requests
    in the order of their arrival, the last 10,000 of them. Without `websockets`, who asks for one
    is told to use HTTP. With `required_prefix`, requests with a name of a tool that does not begin
    so are refused (400), wherever it stands; the tools that the provider owns are left out.

    Raises on entering:
        OSError: a port is taken.
    """

    def __init__(
        self,
        http_port: int = 0,
        https_port: int = 0,
        *,
        default: Controls | None = None,
        keep_bodies: bool = False,
        hosts: Sequence[str] = (),
        websockets: bool = True,
        required_prefix: str = "",
    ) -> None:
        self.http_port = http_port
        self.https_port = https_port
        default = default or Controls()
        if required_prefix:
            default = replace(default, required_prefix=required_prefix)
        self._world = World(default, keep_bodies=keep_bodies)
        self._hosts = hosts
        self._sockets = SOCKETS if websockets else NO_SOCKETS
        self._folder = tempfile.TemporaryDirectory(prefix="llmproxy-simulator-")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._servers: list[HTTPServer] = []

    @property
    def ca_file(self) -> Path:
        return Path(self._folder.name) / "ca.pem"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def https_url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def seen(self) -> deque[Seen]:
        return self._world.seen

    def __enter__(self) -> Self:
        try:
            _, server_file = write_certificates(Path(self._folder.name), self._hosts)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server_file)
            self._run(context)
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering, drop all connections, remove the certificates."""
        if self._loop and self._thread:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._folder.cleanup()

    def _run(self, context: ssl.SSLContext) -> None:
        plain = _bind(self.http_port)
        try:
            secure = _bind(self.https_port)
        except OSError:
            plain.close()
            raise
        self.http_port = plain.getsockname()[1]
        self.https_port = secure.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_serve, args=(self._loop,), name="simulator", daemon=True
        )
        self._thread.start()
        listening = self._listen(plain, secure, context)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)

    async def _listen(
        self, plain: socket.socket, secure: socket.socket, context: ssl.SSLContext
    ) -> None:
        world = {"world": self._world}
        routes = [
            *[Rule(WantsWebSocket(end), socket, world) for end, socket in self._sockets],
            Rule(AnyMatches(), Provider, world),
        ]
        app = Application([*routes], log_function=_quiet)
        for bound, options in ((plain, None), (secure, context)):
            server = HTTPServer(
                app,
                ssl_options=options,
                max_body_size=LARGEST_BODY,
                max_buffer_size=LARGEST_BODY,
            )
            server.add_socket(bound)
            self._servers.append(server)

    async def _stop(self) -> None:
        for server in self._servers:
            server.stop()
            await server.close_all_connections()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bind(port: int) -> socket.socket:
    bound = socket.create_server(("127.0.0.1", port), backlog=512)
    bound.setblocking(False)
    return bound


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


def _quiet(_: object) -> None:
    """Tornado would log a warning for each refusal that was asked for."""
