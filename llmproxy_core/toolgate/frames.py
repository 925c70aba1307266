"""The gate in a WebSocket session."""

from llmproxy_core.namespace.events import Event
from llmproxy_core.providers.answer_id import ID
from llmproxy_core.toolgate.call import Call, Fields
from llmproxy_core.toolgate.formats import FORMATS
from llmproxy_core.toolgate.formats.gemini import refused
from llmproxy_core.toolgate.gate import Gate, Judge
from llmproxy_core.toolgate.scripts import Plain, coded
from llmproxy_core.toolgate.stage import LIMIT

CREATED = b'"response.created"'


class Frames(Plain):
    """Each event is a message."""

    def written(self, event: Event, told: Fields) -> bytes:
        return coded(told)


class FrameGate:
    """Feed it the provider's messages; what it gives is for the client, in order. Raises on nothing.

    `replies`: what the provider is to be told of calls that were denied, by protocols in which it
    waits for a result (Gemini's). `id`: of the answer under way, where later turns may name it.
    `limit`, `closed`, `fault`: see `ToolGate`.
    """

    __slots__ = ("_closed", "_gate", "_judge", "_replies", "_wire", "fault", "id")

    def __init__(
        self, wire: str, judge: Judge, *, limit: int = LIMIT, closed: bool = False
    ) -> None:
        self._wire = wire
        self._judge = judge
        self._closed = closed
        self._gate = (
            Gate(FORMATS[wire](), Frames(), self._judged, limit) if wire in FORMATS else None
        )
        self._replies: list[bytes] = []
        self.fault: Exception | None = None
        self.id = ""

    def feed(self, frame: bytes) -> list[bytes]:
        """The same object alone: it goes on as it came."""
        if CREATED in frame and (found := ID.search(frame)):
            self.id = found[1].decode()
        if self._gate is None:
            return [] if self._closed and self.fault is not None else [frame]
        sent: list[bytes] = []
        try:
            self._gate.put(Event(frame, frame, frame), sent)
        except Exception as exc:  # noqa: BLE001  fails as was asked for
            self.fault = exc
            held, self._gate = self._gate.surrender(), None
            sent += [] if self._closed else held
        return sent

    def finish(self) -> list[bytes]:
        """What was held when the provider broke off."""
        if self._gate is None:
            return []
        sent: list[bytes] = []
        try:
            self._gate.settle("ended", sent)
        except Exception as exc:  # noqa: BLE001  as above
            self.fault = exc
        return sent

    def replies(self) -> list[bytes]:
        told, self._replies = self._replies, []
        return told

    def _judged(self, call: Call) -> str:
        said = self._judge(call)
        if said and self._wire == "gemini.live":
            call.said = said
            self._replies.append(coded(refused(call)))
        return said
