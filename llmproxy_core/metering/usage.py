"""What an answer says it took, read for a tenth of the price of reading the answer.

Of a stream only those events are read that tell of usage, and the last ones, by which it is known
to be whole. Where that does not suffice, all of it is read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmproxy_core.model import Headers, Response, Usage
from llmproxy_core.pricing.estimate import tokens_written
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.encoding import Decoder
from llmproxy_core.providers.reader import AnswerReader

TELLS = re.compile(rb'sage(?:Metadata|_metadata)?"\s*:\s*\{')
"""`"usage": {`, Gemini's `"usageMetadata": {`; many send `"usage": null` with every event."""
HEAD, TAIL = 8 * 2**10, 16 * 2**10
"""Bytes of a stream that are looked at. Usage is told with the first event, or near the end."""
FIRST, LAST, END = 2, 4, 3
"""Events that tell of usage, from the beginning and the end; events of any kind at the end."""
CODED = "content-encoding"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that has ended, as it came: `body` in pieces, still encoded."""

    wire: str
    path: str
    status: int
    headers: Headers
    body: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Taken:
    """`usage` is None where the provider did not tell; then `written` tokens are what can be seen.
    `model`: that answered, if it is told. `whole`: the answer came to its end."""

    usage: Usage | None
    written: int
    model: str | None
    whole: bool


def taken(answer: Answered) -> Taken:
    """Raises nothing on foreign bytes."""
    plain, headers = _decoded(answer)
    if content_type(_type(headers)).events and len(events := _ends(plain)) > END:
        read = _read(answer, headers, b"\n\n".join(_telling(events)) + b"\n\n")
        if read.usage is not None and read.usage.output_tokens is not None and not read.incomplete:
            return Taken(read.usage, read.usage.output_tokens, read.model, whole=True)
    read = _read(answer, headers, plain)
    told = read.usage if read.usage and _says(read.usage) else None
    return Taken(told, tokens_written(read), read.model, not read.incomplete)


def tells(event: bytes) -> bool:
    """Does this event, or this frame of a WebSocket, tell of usage?"""
    return TELLS.search(event) is not None


def _says(usage: Usage) -> bool:
    return usage.input_tokens is not None or usage.output_tokens is not None


def _decoded(answer: Answered) -> tuple[bytes, Headers]:
    body = b"".join(answer.body)
    if not any(name.lower() == CODED for name, _ in answer.headers):
        return body, answer.headers
    decoder = Decoder(answer.headers)
    plain = b"".join([*decoder.feed(body), decoder.finish()])
    return plain, [(name, value) for name, value in answer.headers if name.lower() != CODED]


def _ends(plain: bytes) -> list[bytes]:
    """The first events of a stream and the last ones, each of them whole; of a short one all."""
    between = b"\r\n\r\n" if b"\r\n\r\n" in plain[:HEAD] else b"\n\n"
    if len(plain) <= HEAD + TAIL:
        return plain.split(between)
    first = plain[:HEAD].split(between)[:-1]
    return first + plain[max(HEAD, plain.rfind(between, 0, -TAIL)) :].split(between)


def _telling(events: list[bytes]) -> list[bytes]:
    """In their order."""
    found = [at for at, event in enumerate(events) if tells(event)]
    last = range(max(0, len(events) - END - 1), len(events))
    return [events[at] for at in sorted({*found[:FIRST], *found[-LAST:], *last})]


def _read(answer: Answered, headers: Headers, plain: bytes) -> Response:
    reader = AnswerReader(answer.wire, answer.status, headers, answer.path)
    reader.feed(plain)
    return reader.finish()


def _type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")
