"""Recorded WebSocket sessions, split into exchanges by the rule of `turns.py`."""

import base64
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from llmproxy_core.turns import LIVE, REALTIME, begins_answer, begins_turn, carry, ends_turn
from tests.unit.providers.corpus import FOLDER

type Session = dict[str, Any]
type Frame = tuple[bool, bytes]
"""(from the client?, payload)."""


@dataclass
class Turn:
    """One exchange: two NDJSON bodies of frames, as the proxy stores them."""

    asked: list[Frame]
    answered: list[Frame] = field(default_factory=list)
    carried: list[bytes] = field(default_factory=list)
    begun: bool = False
    ended: bool = False

    @property
    def request(self) -> bytes:
        carried = [line(True, data, carried=True) for data in self.carried]
        return b"".join([*carried, *(line(client, data) for client, data in self.asked)])

    @property
    def response(self) -> bytes:
        return b"".join(line(client, data) for client, data in self.answered)


class Splitter:
    """The rule of `turns.py` as a machine."""

    def __init__(self, wire: str) -> None:
        self.wire = wire
        self.turns: list[Turn] = []
        self.known: dict[str, bytes] = {}
        self.waiting: list[Frame] = []
        self.turn: Turn | None = None

    def client(self, data: bytes) -> None:
        self._note(data)
        if self.turn is not None and self.turn.begun:
            self.turn.answered.append((True, data))
            if begins_turn(self.wire, data):
                self.waiting.append((True, data))
        else:
            self.waiting.append((True, data))
            if begins_turn(self.wire, data):
                self._begin()

    def server(self, data: bytes) -> None:
        self._note(data)
        if begins_answer(self.wire, data):
            if self.turn is None:
                self._begin()
            assert self.turn
            self.turn.begun = True
        if self.turn is None:
            self.waiting.append((False, data))
            return
        self.turn.answered.append((False, data))
        if ends_turn(self.wire, data):
            self.turn.ended = True
            self.turn = None
            if any(begins_turn(self.wire, data) for _, data in self.waiting):
                self._begin()

    def _begin(self) -> None:
        if self.turn is None:
            self.turn = Turn([], carried=list(self.known.values()))
            self.turns.append(self.turn)
        self.turn.asked += self.waiting
        self.waiting = []

    def _note(self, data: bytes) -> None:
        if name := carry(self.wire, data):
            self.known[name] = data


def line(client: bool, data: bytes, carried: bool = False) -> bytes:
    """A frame as it is stored; Google sends its JSON in binary frames, others in text."""
    frame: dict[str, Any] = {"from": "client" if client else "server"}
    try:
        frame |= {"type": "text", "at": 1, "data": data.decode()}
    except UnicodeDecodeError:
        frame |= {"type": "binary", "at": 1, "data": base64.b64encode(data).decode()}
    return json.dumps(frame | ({"carried": True} if carried else {})).encode() + b"\n"


def split(wire: str, frames: Iterable[Frame]) -> list[Turn]:
    splitter = Splitter(wire)
    for client, data in frames:
        (splitter.client if client else splitter.server)(data)
    return splitter.turns


@cache
def sessions() -> list[Session]:
    with gzip.open(FOLDER / "websocket.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(one) for one in lines]


def wire_of(session: Session) -> str:
    return LIVE if session["api"] == "gemini.live" else REALTIME


def frames_of(session: Session) -> list[Frame]:
    return [
        (message["direction"] == "sent", json.dumps(message["data"]).encode())
        for message in session["messages"]
        if message["kind"] == "message"
    ]
