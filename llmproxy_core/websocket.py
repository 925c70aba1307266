"""A WebSocket session on its way through the proxy: one exchange for each response in it.

Frames wait until a turn begins, and become its request; what follows is the answer, up to the
frame that ends it. `turns` knows which frames these are. So a session of hours is as many calls as
it has responses, each is written when it has ended, and no more than one is in memory.

Frames are kept as lines of JSON: {"from": "client" | "server", "type": "text" | "binary",
"at": ns, "data": text or base64}, with "carried": true where an earlier turn's is repeated.
"""

from collections import deque
from collections.abc import Sequence
from time import time_ns
from typing import Any
from uuid import uuid4

import msgspec

from llmproxy_core import turns
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.enhancing.call import Place
from llmproxy_core.enhancing.frames import TOGETHER
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.metering.metering import Reserved
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.pipeline import HEAD_BYTES, Body, Exchange, Head
from llmproxy_core.policies.ruling import Ruling
from llmproxy_core.records import (
    Answer,
    Answered,
    Closed,
    Ending,
    Enhanced,
    Judgement,
    Opened,
    Piece,
)
from llmproxy_core.redaction.restoring import RestoredFrames
from llmproxy_core.redaction.wire import Session
from llmproxy_core.toolgate import FrameGate

type Written = tuple[Opened | Answered | Piece | Closed, Sequence[bytes]]
"""A record for the spool, and the bytes that travel beside it."""


class WebSocketSession:
    """`max_body` in bytes, of a request and of an answer. `answer`: of the handshake, status 101."""

    __slots__ = (
        "_answer",
        "_begun",
        "_carried",
        "_exchange",
        "_going",
        "_head",
        "_max_body",
        "_queued",
        "_waiting",
        "came",
        "enhanced",
        "facts",
        "gate",
        "judged",
        "judgement",
        "keeper",
        "model",
        "naming",
        "on_way",
        "place",
        "recorded",
        "reserved",
        "restored",
        "rule",
        "ruling",
        "settled",
        "unit",
        "usage",
        "values",
    )

    def __init__(self, head: Head, max_body: int, answer: Answer) -> None:
        self._head = head
        self.rule = Namespace(head.namespace)
        self.keeper: Keeper | None = None
        """Of the session; see `pipeline.Exchange`."""
        self.recorded = True
        self.facts: dict[str, Any] = {}
        """What policies know of the client's latest frame."""
        self.judged: Judged | None = None
        """What was found in the latest frame of the client."""
        self.judgement = Judgement()
        """What was found in the frames that wait; told with the exchange that they open."""
        self.enhanced: Enhanced | None = None
        """What was changed of the frames that wait; told with the exchange that they open."""
        self.place: Place | None = None
        """In which conversation the client's latest frame is; None: nobody asks."""
        self.unit = uuid4().bytes if head.wire in TOGETHER else b""
        """What the whole session is known by as one conversation; empty: each frame tells it."""
        self.reserved: deque[Reserved] = deque()
        """What limits have set aside for turns, in their order."""
        self.model = ""
        """That a client's frame has named."""
        self.usage: list[bytes] = []
        """Lines of the answer under way that tell what it takes."""
        self.naming: Naming | None = None
        self.settled = False
        """Is it known in which namespace it is, and so which names go on?"""
        self.came: bytes | None = None
        """A frame as it came, where another is sent on."""
        self.ruling: Ruling | None = None
        """What policies want to be changed of the client's latest frame; None: nothing."""
        self.values: Session | None = None
        """Those for which the provider has placeholders; None: there were none."""
        self.restored: RestoredFrames | None = None
        """Puts the values back into the provider's frames."""
        self.gate: FrameGate | None = None
        """Holds calls of tools."""
        self.on_way: deque[bytes] = deque()
        """Frames for the client that have been handed over after the latest one, in order."""
        self._going: object = None
        self._max_body = max_body
        self._answer = answer
        self._exchange: Exchange | None = None
        self._begun = False
        self._queued = False
        self._carried: dict[str, bytes] = {}
        self._waiting = _Frames(max_body)

    @property
    def head(self) -> Head:
        """Of the handshake, and so of each exchange."""
        return self._head

    @property
    def answering(self) -> Exchange | None:
        """The turn under way."""
        return self._exchange

    def goes_on(self, frame: object, content: bytes) -> bool:
        """Is this frame one of those on their way, which have been looked at before?"""
        if frame is not self._going and self.on_way and self.on_way[0] == content:
            self._going = frame
            self.on_way.popleft()
        return frame is self._going

    def client(self, data: bytes, line: bytes) -> list[Written]:
        """A frame of the client: what has to be written before it is forwarded."""
        asks = turns.begins_turn(self._head.wire, data)
        self._remember(data, line)
        if self._exchange is not None and not self._begun and not asks:
            self._exchange.feed(line)
            return []
        self._waiting.add(line, said=True)
        if self._exchange is not None:
            self._queued = self._queued or asks
            return []
        return [self._open()] if asks else []

    def server(self, data: bytes, line: bytes) -> list[Written]:
        """A frame of the provider."""
        wire = self._head.wire
        begins = turns.begins_answer(wire, data)
        self._remember(data, line)
        written: list[Written] = []
        if self._exchange is None:
            if not begins:
                self._waiting.add(line)
                return []
            written.append(self._open())
        self._begun = self._begun or begins or wire == turns.RESPONSES
        self._feed(line)
        if turns.ends_turn(wire, data):
            written += self._end("complete")
            if self._queued:
                written.append(self._open())
        return written

    def pieces(self) -> list[Written]:
        """What has come of the answer since the last time."""
        return [*self._exchange.pieces()] if self._exchange else []

    def close(self, ending: Ending, error: str | None = None) -> list[Written]:
        """The end of the session, with a turn that was not answered, or never asked for.

        What the provider said after its last answer, unasked, belongs to no call and is left out.
        """
        written: list[Written] = []
        if self._exchange is not None:
            written += self._end(ending, error)
        if self._waiting.said:
            written.append(self._open())
            written += self._end(ending, error)
        return written

    def _remember(self, data: bytes, line: bytes) -> None:
        """A frame that later turns need, marked as repeated."""
        if (name := turns.carry(self._head.wire, data)) and len(line) <= self._max_body:
            self._carried[name] = line.rstrip()[:-1] + b', "carried": true}\n'

    def _open(self) -> Written:
        exchange = self._exchange = Exchange(self._head, self._max_body)
        exchange.rule, exchange.judgement = self.rule, self.judgement
        exchange.recorded = self.recorded
        exchange.enhanced, self.enhanced = self.enhanced, None
        if self.keeper is not None:
            exchange.keeper, exchange.told_masked = self.keeper, self.keeper.masked
            exchange.copy = [] if self.keeper.skeleton else None
        self.judgement = Judgement()
        exchange.answered(msgspec.structs.replace(self._answer, at=time_ns()))
        record, body = exchange.open_frames(self._waiting.body, self._waiting.kept())
        self._begun = self._queued = False
        self._waiting = _Frames(self._max_body)
        for line in self._carried.values():
            self._waiting.add(line)
        return record, body

    def _feed(self, line: bytes) -> None:
        if self._exchange is not None:
            self._exchange.feed(line)

    def _end(self, ending: Ending, error: str | None = None) -> list[Written]:
        exchange, self._exchange = self._exchange, None
        return [exchange.close(ending, error)] if exchange else []


class _Frames:
    """Frames that wait; over the limit only the first of them are kept."""

    __slots__ = ("_lines", "body", "said")

    def __init__(self, limit: int) -> None:
        self.body = Body(limit)
        self.said = False
        """Has the client said anything?"""
        self._lines: list[bytes] = []

    def add(self, line: bytes, *, said: bool = False) -> None:
        over = self.body.over
        self.said = self.said or said
        if kept := self.body.add(line):
            self._lines.append(kept)
        if self.body.over and not over:
            self._lines = [b"".join(self._lines)[:HEAD_BYTES]]

    def kept(self) -> bytes:
        return b"".join(self._lines)
