"""A provider that speaks HTTP/2 (and HTTP/1.1), for what the simulator's server does not know."""

import asyncio
import json
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from hypercorn.asyncio import serve
from hypercorn.config import Config

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator.certificate import write_certificates

ANSWER = b"".join(
    b"data: %b\n\n" % json.dumps(event).encode()
    for event in [
        {
            "id": "chatcmpl-h2",
            "object": "chat.completion.chunk",
            "model": "gpt-5",
            "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
        }
        for word in ("Hello", " over", " HTTP/2")
    ]
) + (b"data: [DONE]\n\n")


async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Any POST is answered with the same stream, which names the request's hash in a header."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"x-request-hash", content_hash(body).hex().encode()),
        (b"x-http-version", scope["http_version"].encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for event in ANSWER.split(b"\n\n")[:-1]:
        part = {"type": "http.response.body", "body": event + b"\n\n", "more_body": True}
        await send(part)
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b""})


class H2Provider:
    """Runs in a thread; looks like `Simulator` to `Mitmdump`."""

    http_port = 9

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._stop: Callable[[], Any] | None = None

    @property
    def ca_file(self) -> Path:
        return Path(self._folder.name) / "ca.pem"

    def __enter__(self) -> Self:
        _, certificate = write_certificates(Path(self._folder.name), ())
        listening = socket.create_server(("127.0.0.1", 0))
        self.https_port = listening.getsockname()[1]
        config = Config()
        config.bind = [f"fd://{listening.detach()}"]
        config.certfile = config.keyfile = str(certificate)
        config.alpn_protocols = ["h2", "http/1.1"]
        config.errorlog = None
        self._thread = threading.Thread(target=self._run, args=(config,))
        self._thread.start()
        return self

    def _run(self, config: Config) -> None:
        async def main() -> None:
            stopped = asyncio.Event()
            loop = asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
            shutdown: Callable[..., Awaitable[Any]] = stopped.wait
            await serve(app, config, shutdown_trigger=shutdown)  # type: ignore[arg-type]

        asyncio.run(main())

    def __exit__(self, *_: object) -> None:
        if self._stop:
            self._stop()
        self._thread.join(60)
        self._folder.cleanup()
