"""What a program's HTTP library puts on the wire and takes from it, byte for byte."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(slots=True)
class Tapped:
    """One exchange; `response` is still encoded as it came."""

    request: bytes
    headers: dict[str, str]
    response: bytearray = field(default_factory=bytearray)


def tapped_client(
    http: ModuleType,
    tape: list[Tapped],
    proxy: str | None = None,
    trust: ssl.SSLContext | None = None,
    **options: Any,
) -> Any:
    """A client of `http`, which is httpx or httpx2: the SDKs ride on either."""

    class Stream(http.SyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, inner: Any, tapped: Tapped) -> None:
            self.inner = inner
            self.tapped = tapped

        def __iter__(self) -> Iterator[bytes]:
            for chunk in self.inner:
                self.tapped.response += chunk
                yield chunk

        def close(self) -> None:
            self.inner.close()

    class Transport(http.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            tapped = Tapped(request.read(), dict(request.headers))
            tape.append(tapped)
            response = super().handle_request(request)
            response.stream = Stream(response.stream, tapped)
            return response

    verify: Any = trust if trust is not None else True
    transport = Transport(proxy=proxy and http.Proxy(proxy), verify=verify, trust_env=False)
    return http.Client(transport=transport, timeout=60, **options)
