"""One proxy's journal on its way into the store: records in, rows out."""

from collections.abc import Callable
from dataclasses import replace

from llmproxy_core.errors import LlmproxyError, SpoolError
from llmproxy_core.model import Delta, Json, Request, Response
from llmproxy_core.pricing import NO_PRICES, OwnPrices
from llmproxy_core.records import Answered, Closed, Event, Opened, Piece, Record, Verdict, Whole
from llmproxy_core.spool import START, Entry, Position, SpoolReader
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow, StreamDelta
from llmproxy_core.worker import approving, evidence
from llmproxy_core.worker.derivation import Derivation
from llmproxy_core.worker.event_rows import DEFAULT_NAMESPACE, event_row, facts, told
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.judging import Judging
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.rows import read, request_row, session_of_request
from llmproxy_core.worker.seal import Sealed, killed, seal
from llmproxy_core.worker.sessions import Sessions, Span

FEEDBACK = "feedback"
SEQ_BITS = 8
"""A piece may hold 2**SEQ_BITS changes between text, reasoning and calls; the live view lacks the
rest. So the numbers of one piece never depend on what was read out of another."""


class Journal:
    """`position`: read up to here. `first_segment`: all before it have been removed.
    `thinned_segment`: up to it they hold only what was open when the latest of them became whole.

    `take` either does all of a record or raises and has done nothing of it.
    """

    def __init__(
        self,
        reader: SpoolReader,
        sessions: Sessions,
        namespace: Callable[[str], int],
        prices: OwnPrices = NO_PRICES,
        derivation: Derivation | None = None,
        judging: Judging | None = None,
        learning: Learning | None = None,
    ) -> None:
        self.reader = reader
        self.position = START
        self.first_segment = 0
        self.thinned_segment = 0
        self.ended = False
        """The writer is dead, and all that it wrote has been taken."""
        self.broken: SpoolError | OSError | None = None
        self.exchanges: dict[bytes, Exchange] = {}
        self._talking: dict[bytes, Exchange] = {}
        """Those with text that nobody has been shown."""
        self._sessions = sessions
        self._namespace = namespace
        self._prices = prices
        self._derivation = derivation or Derivation()
        self._judging = judging
        self._learning = learning

    @property
    def replay(self) -> Position:
        """Where to read from to know what is still open."""
        oldest = next(iter(self.exchanges.values()), None)
        return oldest.start if oldest else self.position

    @property
    def offsets(self) -> OffsetRow:
        return OffsetRow(self.reader.id, *self.position, *self.replay)

    def clear(self) -> None:
        self.exchanges.clear()
        self._talking.clear()

    def needs(self, record: Record) -> bool:
        """Is it of an exchange that is still open?"""
        return record.id in self.exchanges

    def take(self, entry: Entry, into: Batch) -> None:
        """Raises DatabaseUnavailable, where the session has to be asked for."""
        record = entry.record
        if isinstance(record, Opened):
            self._open(record, entry, into)
        elif isinstance(record, Closed):
            self._close(record, entry.body, into)
        elif isinstance(record, Event):
            self._take_event(record, into)
        elif isinstance(record, Whole):
            self._take_whole(record, entry, into)
        elif isinstance(record, Verdict):
            self._take_verdict(record, into)
        else:
            self.resume(entry)
        self.position = entry.end

    def _take_event(self, record: Event, into: Batch) -> None:
        into.events.append(event_row(record))
        if self._learning is not None and record.kind == FEEDBACK:
            namespace = str(record.data.get("namespace") or "default")
            self._learning.told(record, self._named(namespace), into)

    def _take_whole(self, record: Whole, entry: Entry, into: Batch) -> None:
        """What is imported; of its times only those are kept that its file has."""
        if record.id in self.exchanges:
            return
        asked, answered = entry.body[: record.request_bytes], entry.body[record.request_bytes :]
        self._open(record.opened, replace(entry, body=asked), into)
        self._close(record.closed, answered, into, imported=True)
        row, closed = into.responses[-1], record.closed
        if closed.at <= record.opened.at:
            row.head_ms = row.first_byte_ms = row.duration_ms = None
        if not closed.pending_at:
            row.first_token_ms = None
        into.rollups[-1].duration_ms = row.duration_ms
        into.rollups[-1].first_token_ms = row.first_token_ms

    def _take_verdict(self, record: Verdict, into: Batch) -> None:
        """What the proxy found when the call was over."""
        ns_id = self.ns_id(record)
        evidence.record(record.asked, ns_id, record.id, "request", record.at, into)
        evidence.record(record.answered, ns_id, record.id, "response", record.at, into)

    def resume(self, entry: Entry) -> None:
        """A record in the midst of an answer."""
        record = entry.record
        if isinstance(record, Answered) and (exchange := self.exchanges.get(record.id)):
            exchange.begin_answer(record.answer)
        elif isinstance(record, Piece) and (exchange := self.exchanges.get(record.id)):
            deltas = exchange.piece(record, entry.body)
            if deltas:
                exchange.unshown += _stream_deltas(exchange, deltas)
                self._talking[record.id] = exchange

    def show(self, into: Batch) -> None:
        """What open answers say, for those who watch; it may be shown again after a restart."""
        shows = self._judging is None or self._judging.shows
        for exchange in self._talking.values():
            into.deltas += exchange.unshown if shows else []
            exchange.unshown = []
        self._talking.clear()

    def reopen(self, record: Opened, entry: Entry, session: Span | None) -> None:
        """An exchange whose request is stored already, in `session`."""
        if session is None:
            self._open(record, entry, Batch())
            return
        try:
            request, _ = read(record, entry.body)
        except Exception:  # noqa: BLE001 - told when it was stored
            request = Request()
        ns_id = self.ns_id(record)
        exchange = Exchange(ns_id, session.id, record, request, entry.start)
        exchange.node = self._sessions.revive(session, ns_id, record, request, entry.body)
        self._derivation.opened(exchange)
        if self._learning is not None:
            self._learning.opened(exchange, entry.body)
        self.exchanges[record.id] = exchange

    def end(self, into: Batch) -> None:
        """The writer is dead: what is open will stay as it is."""
        self.ended = True
        for exchange in list(self.exchanges.values()):
            self._close(killed(exchange), b"", into)

    def _open(self, record: Opened, entry: Entry, into: Batch) -> None:
        if record.id in self.exchanges:
            into.events.append(told(record, "repeated_request", {}))
            return
        try:
            request, problem = read(record, entry.body)
            self._place(record, entry, request, problem, into)
        except LlmproxyError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever a body holds, it is stored raw
            fault = f"{type(exc).__name__}: {exc}"
            self._place(record, entry, Request(), fault, into)
            into.events.append(told(record, "unreadable", {"where": "request", "error": fault}))

    def _place(
        self, record: Opened, entry: Entry, request: Request, problem: str | None, into: Batch
    ) -> None:
        ns_id = self.ns_id(record)
        placed = self._sessions.place(ns_id, record, request, entry.body)
        exchange = Exchange(ns_id, placed.id, record, request, entry.start)
        row = request_row(exchange, entry.body, problem, placed.found.link)
        session = session_of_request(exchange, placed)
        exchange.node = self._sessions.began(placed)
        self.exchanges[record.id] = exchange
        self._derivation.opened(exchange)
        if self._learning is not None:
            self._learning.opened(exchange, entry.body)
        into.requests.append(row)
        into.sessions.append(session)
        evidence.record(record.judged, ns_id, record.id, "request", record.at, into)
        into.approvals += approving.asked(record, ns_id, self._seconds)

    def _close(self, record: Closed, body: bytes, into: Batch, *, imported: bool = False) -> None:
        exchange = self.exchanges.pop(record.id, None)
        self._talking.pop(record.id, None)
        if exchange is None:
            into.events.append(told(record, "answer_without_request", facts(record)))
            return
        sealed = self._sealed(exchange, record, body)
        self._derivation.closed(exchange, sealed, into)
        row = sealed.response
        into.responses.append(row)
        into.tool_calls += sealed.tool_calls
        into.sessions.append(sealed.session)
        evidence.record(record.judged, row.ns_id, record.id, "response", record.at, into)
        tools = [call.name for call in sealed.tool_calls]
        into.approvals += approving.answered(
            exchange.opened, record, row.ns_id, self._seconds, tools
        )
        if self._judging is not None:
            self._judging.closed(exchange, record, sealed, into, imported=imported)
        if self._learning is not None:
            self._learning.closed(exchange, record, sealed)
        self._sessions.answered(
            exchange.session_id, record.at, exchange.node, exchange.opened.wire, sealed.answer
        )
        if exchange.unreadable:
            fault: dict[str, Json] = {"where": "answer", "error": exchange.unreadable}
            into.events.append(told(record, "unreadable", fault, row.ns_id))
        if sealed.answer.unknown_events:
            counts: dict[str, Json] = {"wire": exchange.opened.wire, **sealed.answer.unknown_events}
            into.events.append(told(record, "unknown_stream_events", counts, row.ns_id))

    def _sealed(self, exchange: Exchange, record: Closed, body: bytes) -> Sealed:
        response = exchange.end(record, body)
        if self._judging and (redacted := self._judging.redacted(exchange, record, response)):
            record, response = redacted.closed, redacted.response
        try:
            return seal(exchange, record, response, self._prices)
        except Exception as exc:  # noqa: BLE001 - whatever was read, the answer is stored raw
            exchange.unreadable = f"{type(exc).__name__}: {exc}"
            return seal(exchange, record, Response(), self._prices)

    def _seconds(self, policy: str) -> float:
        """How long calls wait because of it."""
        if self._judging is None:
            return approving.PATIENCE
        return approving.seconds(self._judging.rulebook.policies, policy)

    def ns_id(self, record: Opened | Verdict) -> int:
        return self._named(record.namespace)

    def _named(self, namespace: str) -> int:
        return DEFAULT_NAMESPACE if namespace == "default" else self._namespace(namespace)


def _stream_deltas(exchange: Exchange, deltas: list[Delta]) -> list[StreamDelta]:
    """The first choice alone; neighbours of one kind joined."""
    joined: list[tuple[str, list[str]]] = []
    for delta in deltas:
        if delta.choice == 0:
            if not joined or joined[-1][0] != delta.kind:
                joined.append((delta.kind, []))
            joined[-1][1].append(delta.text)
    first = exchange.n_pieces << SEQ_BITS
    return [
        StreamDelta(exchange.ns_id, exchange.id, first + n, kind, "".join(texts))
        for n, (kind, texts) in enumerate(joined[: 1 << SEQ_BITS])
    ]
