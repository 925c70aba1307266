"""HAR 1.2, as browsers and proxies write it: http://www.softwareishard.com/blog/har-12-spec/

A HAR holds bodies without their content-encoding: the headers that speak of the encoded ones are
left out, unless the body turns out to be encoded after all. Chrome's `_webSocketMessages` are read
as well.
"""

import base64
import binascii
import contextlib
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import msgspec

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.incoming.elements import Elements, Truncated
from llmproxy_core.interchange.incoming.frames import Frame, responses
from llmproxy_core.interchange.incoming.parsed import UNREADABLE, typed, words
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import Source
from llmproxy_core.interchange.incoming.times import iso
from llmproxy_core.model import Headers, header
from llmproxy_core.providers.catalogue import UPGRADES
from llmproxy_core.providers.encoding import decode_body

MS = 10**6
PATH = (b"log", b"entries")
OF_THE_CODED_BODY = ("content-encoding", "content-length", "transfer-encoding")
TEXT_FRAME = 1


class Pair(msgspec.Struct):
    name: str
    value: str = ""


class PostData(msgspec.Struct):
    text: str | None = None
    encoding: str | None = None
    params: list[Pair] | None = None


class Asked(msgspec.Struct, rename="camel"):
    url: str
    method: str = "GET"
    http_version: str | None = None
    headers: list[Pair] = []
    post_data: PostData | None = None
    body_size: int | None = None


class Content(msgspec.Struct):
    text: str | None = None
    encoding: str | None = None
    size: int | None = None


class Answered(msgspec.Struct, rename="camel"):
    status: int = 0
    status_text: str | None = None
    http_version: str | None = None
    headers: list[Pair] = []
    content: Content | None = None


class Timings(msgspec.Struct):
    blocked: float | None = None
    dns: float | None = None
    connect: float | None = None
    send: float | None = None
    wait: float | None = None


class Message(msgspec.Struct):
    type: str = "receive"
    data: str = ""
    opcode: float | None = None
    time: float | None = None


class Entry(msgspec.Struct, rename="camel"):
    request: Asked
    response: Answered | None = None
    started_date_time: str | None = None
    time: float | None = None
    timings: Timings | None = None
    id: str | None = msgspec.field(name="_id", default=None)
    messages: list[Message] | None = msgspec.field(name="_webSocketMessages", default=None)


_decoder = msgspec.json.Decoder(Entry)


def recordings(source: Source) -> Iterator[Recording | Skipped]:
    """Raises InterchangeError where the file cannot be read any further."""
    elements = Elements(source.blocks(), PATH)
    number = 0
    try:
        for number, element in enumerate(elements, 1):
            yield from _read(f"entry {number}", element)
    except Truncated:
        raise InterchangeError(
            f"{source.name}: the file ends after entry {number}, in the midst of the next: it was "
            "cut. Get it anew; importing it again then adds what is missing."
        ) from None
    except ValueError as exc:
        raise InterchangeError(f"{source.name}: after entry {number}: {exc}") from None
    if not elements.found:
        raise InterchangeError(f"{source.name}: not a HAR: there is no `entries` in its `log`")


def _read(place: str, element: bytes) -> Iterator[Recording | Skipped]:
    try:
        entry = typed(element, _decoder)
        if entry.messages is None:
            yield _exchange(place, entry)
        else:
            yield from _session(place, entry, entry.messages)
    except UNREADABLE as exc:
        yield Skipped(place, words(exc))


def _exchange(place: str, entry: Entry) -> Recording:
    asked, answered = entry.request, entry.response or Answered()
    at = iso(entry.started_date_time or "")
    content = answered.content or Content()
    body = _decoded(content.text, content.encoding)
    missing = content.text is None and (content.size or 0) > 0
    sent = _sent(asked.post_data)
    request_headers, response_headers = _pairs(asked.headers), _pairs(answered.headers)
    return Recording(
        place=place,
        url=asked.url,
        method=asked.method,
        external_id=entry.id,
        at=at,
        first_at=_first_byte(at, entry.timings),
        ended_at=at + int(entry.time * MS) if at and entry.time and entry.time > 0 else 0,
        http_version=_version(asked.http_version),
        request_headers=_truthful(request_headers, sent),
        request_body=sent,
        request_bytes=asked.body_size if sent is None else None,
        status=max(answered.status, 0),
        reason=answered.status_text or "",
        response_headers=_truthful(response_headers, body),
        response_body=None if missing else body or b"",
        response_bytes=content.size if missing else None,
    )


def _session(place: str, entry: Entry, messages: list[Message]) -> Iterator[Recording | Skipped]:
    session = _exchange(place, entry)
    path = urlsplit(entry.request.url).path.rstrip("/")
    session.wire = next((wire for end, wire in UPGRADES.items() if path.endswith(end)), "")
    session.status = 101
    frames = [_frame(message) for message in messages]
    yield from responses(session, frames)


def _frame(message: Message) -> Frame:
    text = message.opcode in (None, TEXT_FRAME)
    data = message.data.encode("utf-8", "surrogatepass")
    if not text:
        with contextlib.suppress(binascii.Error):
            data = base64.b64decode(data, validate=True)
    return Frame(message.type == "send", data, int((message.time or 0) * 10**9), text)


def _sent(post: PostData | None) -> bytes | None:
    if post is None:
        return b""
    if post.text is not None:
        return _decoded(post.text, post.encoding)
    if post.params is None:
        return None
    return urlencode([(pair.name, pair.value) for pair in post.params]).encode()


def _decoded(text: str | None, encoding: str | None) -> bytes | None:
    if text is None:
        return None
    if encoding == "base64":
        return base64.b64decode(text)
    return text.encode("utf-8", "surrogatepass")


def _pairs(pairs: list[Pair]) -> Headers:
    """Without HTTP/2's `:authority` and its like, which are no headers."""
    return [(pair.name, pair.value) for pair in pairs if not pair.name.startswith(":")]


def _truthful(headers: Headers, body: bytes | None) -> Headers:
    """The headers that fit the body that is here."""
    if not body or not header(headers, "content-encoding"):
        return headers
    plain, problem = decode_body(headers, body)
    if problem is None and plain != body:
        return headers
    return [pair for pair in headers if pair[0].lower() not in OF_THE_CODED_BODY]


def _first_byte(at: int, timings: Timings | None) -> int:
    if not at or timings is None or timings.wait is None or timings.wait < 0:
        return 0
    parts = (timings.blocked, timings.dns, timings.connect, timings.send, timings.wait)
    return at + int(sum(part for part in parts if part and part > 0) * MS)


def _version(told: str | None) -> str:
    """Chrome writes `h2`, Firefox `HTTP/2`."""
    known = {"h2": "HTTP/2.0", "h3": "HTTP/3.0", "http/2": "HTTP/2.0", "http/3": "HTTP/3.0"}
    return known.get((told or "").lower(), told or "HTTP/1.1")
