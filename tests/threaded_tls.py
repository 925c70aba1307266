"""TLS sockets that one thread may read while another writes, as `websockets.sync` does.

OpenSSL's connections are not safe for that, and Python holds no lock of its own before 3.12.8 and
3.13.1 (python/cpython#124984): of a thousand handshakes of `websockets.sync` on 3.12.1, five hang.
"""

import select
import ssl
import threading
from collections.abc import Callable
from typing import Any, Self


class _Locked(ssl.SSLSocket):
    _lock: threading.Lock

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls, *args, **kwargs)
        made._lock = threading.Lock()
        return made

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        return self._one_by_one(lambda: super(_Locked, self).recv(buflen, flags))

    def send(self, data: Any, flags: int = 0) -> int:
        return self._one_by_one(lambda: super(_Locked, self).send(data, flags))

    def settimeout(self, value: float | None) -> None:
        with self._lock:  # else it counts for a call that must not wait
            super().settimeout(value)

    def _one_by_one[T](self, call: Callable[[], T]) -> T:
        """Without the lock only what does not touch the connection: waiting for its socket."""
        while True:
            readable, writable = [self.fileno()], [self.fileno()]
            with self._lock:
                limit = self.gettimeout()
                super().settimeout(0)
                try:
                    return call()
                except ssl.SSLWantReadError:
                    writable = []
                except ssl.SSLWantWriteError:
                    readable = []
                finally:
                    super().settimeout(limit)
            if not any(select.select(readable, writable, [], limit)):
                raise TimeoutError("The TLS connection timed out")


def threaded(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context; its sockets may be read and written at once."""
    context.sslsocket_class = _Locked
    return context
