"""A recorded WebSocket session -> one recording for each response in it, as the proxy cuts it."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.pipeline import Head
from llmproxy_core.records import Answer, Closed, Opened
from llmproxy_core.turns import WIRES
from llmproxy_core.websocket import WebSocketSession, Written

UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `at`: ns since 1970, 0 where it is not known."""

    from_client: bool
    data: bytes
    at: int = 0
    text: bool = True

    def line(self) -> bytes:
        """As it is stored, see `websocket.py`."""
        told = {
            "from": "client" if self.from_client else "server",
            "type": "text" if self.text else "binary",
            "at": self.at,
            "data": self.data.decode("utf-8", "surrogatepass")
            if self.text
            else base64.b64encode(self.data).decode(),
        }
        return json.dumps(told).encode() + b"\n"


def responses(session: Recording, frames: Iterable[Frame]) -> Iterator[Recording | Skipped]:
    """`session` has what all of them share."""
    found = False
    for turn in _turns(session, frames) if session.wire in WIRES else ():
        found = True
        yield turn
    if not found:
        yield Skipped(session.place, "a WebSocket without a response of a model", damaged=False)


def _turns(session: Recording, frames: Iterable[Frame]) -> Iterator[Recording]:
    cutter = WebSocketSession(_head(session), UNLIMITED, Answer(0, 101, "", "HTTP/1.1", []))
    turn: Recording | None = None
    number, at = 0, session.at
    for written, when in _written(cutter, frames):
        at = when or at
        for record, body in written:
            if isinstance(record, Opened):
                number += 1
                turn = _turn(session, number, at, b"".join(body))
            elif turn is not None:
                turn.response_body = (turn.response_body or b"") + b"".join(body)
                turn.first_at = turn.first_at or at
                if isinstance(record, Closed):
                    turn.ended_at = at
                    yield turn


def _written(
    cutter: WebSocketSession, frames: Iterable[Frame]
) -> Iterator[tuple[list[Written], int]]:
    for frame in frames:
        take = cutter.client if frame.from_client else cutter.server
        yield take(frame.data, frame.line()), frame.at
    yield cutter.close("complete"), 0


def _turn(session: Recording, number: int, at: int, asked: bytes) -> Recording:
    named = session.external_id and f"{session.external_id}#{number}"
    return replace(
        session,
        place=f"{session.place}, response {number}",
        external_id=named,
        at=at,
        request_body=asked,
        response_body=b"",
    )


def _head(session: Recording) -> Head:
    """Only the wire counts here: what is written is made by `journal.py`."""
    host = urlsplit(session.url).hostname or ""
    return Head("", None, None, "", session.wire, "https", host, 443, "GET", "/", "HTTP/1.1", [])
