"""JSON lines: recorded exchanges, one object a line, and what `llmproxy export --bodies` writes.

Needed are `url`, `request_body` and `response_body`, with `request_body_encoding` and
`response_body_encoding` (`utf-8` if missing, or `base64`); docs/export.md lists the others. A line
with `messages` is a WebSocket session.
"""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any, Literal
from uuid import UUID

import msgspec

from llmproxy_core.interchange.incoming.frames import Frame, responses
from llmproxy_core.interchange.incoming.lines import LONGEST, numbered
from llmproxy_core.interchange.incoming.parsed import UNREADABLE, typed, words
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import Source
from llmproxy_core.interchange.incoming.times import iso
from llmproxy_core.interchange.wires import SESSIONS

type Encoding = Literal["utf-8", "base64"]
MS = 10**6
DAY_MS = 86_400_000
BOM = b"\xef\xbb\xbf"


class Message(msgspec.Struct):
    kind: str = "message"
    direction: Literal["sent", "received"] = "received"
    data: Any = None


class Line(msgspec.Struct):
    id: str | None = None
    external_id: str | None = None
    url: str | None = None
    method: str = "POST"
    http_version: str = "HTTP/1.1"
    provider_host: str | None = None
    provider: str | None = None
    api: str | None = None
    wire: str | None = None
    client: str | None = None
    started_at: str | None = None
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    duration_ms: float | None = None
    request_headers: list[tuple[str, str]] = []
    request_body: str | None = None
    request_body_encoding: Encoding = "utf-8"
    request_body_bytes: int | None = None
    status: int | None = None
    reason: str | None = None
    response_headers: list[tuple[str, str]] = []
    response_trailers: list[tuple[str, str]] = []
    response_body: str | None = None
    response_body_encoding: Encoding = "utf-8"
    response_body_bytes: int | None = None
    ending: str | None = None
    namespace_prefix: str | None = None
    shortened: dict[str, str] | None = None
    left_alone: str | None = None
    messages: list[Message] | None = None


_decoder = msgspec.json.Decoder(Line)


def recordings(source: Source) -> Iterator[Recording | Skipped]:
    """Raises InterchangeError where the file cannot be read any further."""
    for number, line in numbered(source.blocks()):
        place = f"line {number}"
        if line is None:
            yield Skipped(
                place, f"it is longer than {LONGEST // 2**20} MiB; split it, or leave it out"
            )
            continue
        if number == 1:
            line = line.removeprefix(BOM)
        if line := line.strip():
            yield from _read(place, line)


def _read(place: str, line: bytes) -> Iterator[Recording | Skipped]:
    try:
        told = typed(line, _decoder)
        if told.url is None and told.messages is None and told.wire and told.status:
            yield Skipped(place, "a description of an exchange, without it", damaged=False)
        elif told.messages is None:
            yield _exchange(place, told)
        else:
            yield from _session(place, told, told.messages)
    except UNREADABLE as exc:
        yield Skipped(place, words(exc))


def _exchange(place: str, line: Line) -> Recording:
    if line.url is None:
        raise ValueError("it has no `url`, so it is no recorded exchange")
    if line.request_body is None and line.response_body is None:
        raise ValueError("it has no bodies; export with --bodies what is to be imported again")
    at = iso(line.started_at) if line.started_at else 0
    return Recording(
        place=place,
        url=line.url,
        method=line.method,
        external_id=line.external_id if _own(line.id) else line.id,
        id=_own(line.id),
        at=at,
        first_at=_after(at, line.first_byte_ms),
        first_token_at=_after(at, line.first_token_ms),
        ended_at=_after(at, line.duration_ms),
        client=line.client or "import",
        wire=line.wire or "",
        provider=line.provider or "",
        http_version=line.http_version,
        request_headers=line.request_headers,
        request_body=_body(line.request_body, line.request_body_encoding),
        request_bytes=line.request_body_bytes,
        status=line.status or 0,
        reason=line.reason or "",
        response_headers=line.response_headers,
        response_body=_body(line.response_body, line.response_body_encoding),
        response_bytes=line.response_body_bytes,
        trailers=line.response_trailers,
        ending=line.ending or "",
        prefix=line.namespace_prefix or "",
        shortened=line.shortened or {},
        left_alone=line.left_alone or "",
    )


def _session(place: str, line: Line, messages: list[Message]) -> Iterator[Recording | Skipped]:
    wire = SESSIONS.get(line.api or "") or SESSIONS.get(line.wire or "")
    if wire is None:
        raise ValueError(f"its `api` is none of {', '.join(sorted(SESSIONS))}")
    session = Recording(
        place=place,
        url=line.url or f"wss://{line.provider_host or 'unknown'}/",
        method="GET",
        external_id=line.id,
        wire=wire,
        provider=line.provider or (line.api or "").partition(".")[0],
        status=101,
    )
    frames = [_frame(message) for message in messages if message.kind == "message"]
    yield from responses(session, frames)


def _frame(message: Message) -> Frame:
    data = message.data
    text = data if isinstance(data, str) else json.dumps(data)
    return Frame(message.direction == "sent", text.encode("utf-8", "surrogatepass"))


def _body(text: str | None, encoding: Encoding) -> bytes | None:
    if text is None:
        return None
    if encoding == "base64":
        return base64.b64decode(text, validate=True)
    return text.encode("utf-8", "surrogatepass")


def _own(id: str | None) -> UUID | None:
    """The id of a call in a store of ours: a uuidv7, and not of a time that is still to come.

    Every week of the future would get partitions of its own.
    """
    try:
        found = UUID(id) if id and len(id) == 36 else None
    except ValueError:
        return None
    if found is None or found.version != 7:
        return None
    return found if found.int >> 80 <= time.time_ns() // MS + DAY_MS else None


def _after(at: int, ms: float | None) -> int:
    return at + int(ms * MS) if at and ms is not None and ms >= 0 else 0
