"""A document as one string of bytes: headers, trailers, body; and back."""

from dataclasses import dataclass

from llmproxy_core.model import Headers
from llmproxy_core.spans import lines
from llmproxy_core.spans.numbers import counted, number, read_counted, read_number

PLAIN, LINES = range(2)
"""How the body is written: as it is, or by `lines`."""


@dataclass(slots=True)
class Document:
    headers: Headers
    trailers: Headers
    body: bytes


def beginning(headers: Headers, trailers: Headers, kind: int) -> bytes:
    """The first piece; then come the headers, the trailers and the body."""
    return number(len(headers)) + number(len(trailers)) + number(kind)


def header_piece(pair: tuple[str, str]) -> bytes:
    return b"".join(counted(text.encode("utf-8", "surrogatepass")) for text in pair)


def opened(data: bytes) -> Document:
    """Raises IndexError, ValueError where the data is damaged."""
    n_headers, at = read_number(data, 0)
    n_trailers, at = read_number(data, at)
    kind, at = read_number(data, at)
    headers, at = _read_headers(data, at, n_headers)
    trailers, at = _read_headers(data, at, n_trailers)
    body = data[at:]
    if kind == LINES:
        body = lines.merge(body)
    elif kind != PLAIN:
        raise ValueError(f"unknown kind of body: {kind}")
    return Document(headers, trailers, body)


def _read_headers(data: bytes, at: int, count: int) -> tuple[Headers, int]:
    headers = []
    for _ in range(count):
        name, at = read_counted(data, at)
        value, at = read_counted(data, at)
        headers.append((_text(name), _text(value)))
    return headers, at


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
