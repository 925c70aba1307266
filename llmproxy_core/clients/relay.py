"""A listener in front of the proxy that notes what passes: who really used the proxy, and what
the proxy said to CONNECT. Works for every runtime alike, since nothing has to be asked of it.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

type Note = Callable[[bytes], None]

PIECE = 65536
HEAD_BYTES = 4096


class Relay:
    """A context manager; `connects` counts the CONNECTs, `refusals` the answers other than 2xx."""

    def __init__(self, host: str, port: int) -> None:
        self.connects = 0
        self.refusals: list[str] = []
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # wakes accept(), which close() alone does not
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                self._open.append(client)
                proxy = socket.create_connection(self._target, 5)
                proxy.settimeout(None)
                self._open.append(proxy)
            except OSError:
                if self._server.fileno() == -1:
                    return
                continue
            for source, sink, note in (
                (client, proxy, self._note_request),
                (proxy, client, self._note_answer),
            ):
                threading.Thread(target=_pump, args=(source, sink, note), daemon=True).start()

    def _note_request(self, head: bytes) -> None:
        self.connects += head.startswith(b"CONNECT ")

    def _note_answer(self, head: bytes) -> None:
        line = head.partition(b"\r\n")[0].decode("latin-1")
        if line.startswith("HTTP/") and line.split(" ")[1][:1] != "2":
            self.refusals.append(line)


def _pump(source: socket.socket, sink: socket.socket, note: Note) -> None:
    first = True
    with suppress(OSError):
        while data := source.recv(PIECE):
            if first:
                note(data[:HEAD_BYTES])
                first = False
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
