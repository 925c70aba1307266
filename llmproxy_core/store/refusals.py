"""What happens to a row that Postgres refuses: it must neither be lost nor hold up the others."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import psycopg
import uuid_utils.compat
from psycopg.rows import TupleRow

from llmproxy_core.store import findings, lessons, statements
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import EventRow, RequestRow, ResponseRow, ToolCallRow
from llmproxy_core.store.columns import plain_request, plain_response
from llmproxy_core.store.values import clean

REFUSED = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    struct.error,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
"""Errors that a value causes, not the database: also those of making its bytes."""

DEFAULT_NAMESPACE = 1

type PgConnection = psycopg.Connection[TupleRow]


class Tables(Protocol):
    """The writer's COPYs."""

    def copy_requests(self, connection: PgConnection, rows: list[RequestRow]) -> None: ...
    def copy_responses(
        self, connection: PgConnection, rows: list[ResponseRow], calls: list[ToolCallRow]
    ) -> None: ...
    def copy_tool_calls(self, connection: PgConnection, rows: list[ToolCallRow]) -> None: ...
    def copy_events(self, connection: PgConnection, rows: list[EventRow]) -> None: ...


class Refusals:
    """Writes a batch row by row, each in a savepoint; what is refused becomes an event."""

    def __init__(self, connection: PgConnection, tables: Tables) -> None:
        self.event_ids: list[UUID] = []
        self.lost: set[UUID] = set()
        """Answers of which nothing could be stored, e.g. because they are there already."""
        self._unknown: set[UUID] = set()
        """The same of requests."""
        self._connection = connection
        self._tables = tables

    def write(self, batch: Batch) -> list[UUID]:
        """The ids of the anomalies, as they are stored."""
        for request in batch.requests:
            with self._telling("requests", request.ns_id, request.id) as reasons:
                self._requests(request)
            if reasons and not self._try(self._requests, plain_request(request, reasons[0])):
                self._unknown.add(request.id)
        calls = self._tool_calls(batch.tool_calls)
        for response in batch.responses:
            with self._telling("responses", response.ns_id, response.id) as reasons:
                self._responses(response, calls)
            if reasons and not self._try(self._responses, plain_response(response, reasons[0]), []):
                self.lost.add(response.id)
        for event in batch.events:
            with self._telling("analytics_events", event.ns_id, event.request_id):
                self._tables.copy_events(self._connection, [event])
        for session in batch.sessions:
            if session.flow in (self._unknown if session.requests else self.lost):
                continue
            with self._telling("sessions", session.ns_id, session.id):
                statements.add_to_sessions(self._connection, [session])
        for delta in batch.deltas:
            with self._telling("stream_deltas", delta.ns_id, delta.request_id):
                statements.add_deltas(self._connection, Batch(deltas=[delta]))
        return self._findings(batch)

    def derived(self, batch: Batch, write: Callable[[], None]) -> bool:
        """Write what is derived of a whole batch; False if it was refused, and is not there."""
        ns_id = batch.rollups[0].ns_id if batch.rollups else DEFAULT_NAMESPACE
        with self._telling("rollups, search", ns_id, None) as reasons:
            write()
        return not reasons

    def lessons(self, batch: Batch, learn: Callable[[], None]) -> bool:
        """Write what was learnt, row by row, and what comes of all of it; False if that was not."""
        for table, ns_id, call, row in lessons.singles(batch.lessons):
            with self._telling(table, ns_id, call):
                lessons.write(self._connection, row)
        ns_id = batch.lessons.sums[0].ns_id if batch.lessons.sums else DEFAULT_NAMESPACE
        with self._telling("pattern_days", ns_id, None) as reasons:
            learn()
        return not reasons

    def _findings(self, batch: Batch) -> list[UUID]:
        stored: dict[UUID, UUID] = {}
        for found in batch.anomalies:
            with self._telling("anomalies", found.ns_id, found.request_id):
                stored |= findings.add_anomalies(self._connection, [found])
        for decided in batch.decisions:
            with self._telling("policy_decisions", decided.ns_id, decided.request_id):
                findings.add_decisions(self._connection, [decided], stored)
        for waiting in batch.approvals:
            with self._telling("approvals", waiting.ns_id, waiting.request_id):
                findings.add_approvals(self._connection, [waiting])
        return list(dict.fromkeys(stored.values()))

    def _tool_calls(self, rows: list[ToolCallRow]) -> list[ToolCallRow]:
        """Those that were stored."""
        stored = []
        for call in rows:
            with self._telling("tool_calls", call.ns_id, call.request_id) as reasons:
                self._tables.copy_tool_calls(self._connection, [call])
            if not reasons:
                stored.append(call)
        return stored

    def _requests(self, row: RequestRow) -> None:
        self._tables.copy_requests(self._connection, [row])

    def _responses(self, row: ResponseRow, calls: list[ToolCallRow]) -> None:
        self._tables.copy_responses(self._connection, [row], calls)

    @contextmanager
    def _telling(self, table: str, ns_id: int, request_id: UUID | None) -> Iterator[list[str]]:
        """Gives a list that holds the reason if the block was refused."""
        reasons: list[str] = []
        try:
            with self._connection.transaction():
                yield reasons
        except REFUSED as exc:
            reasons.append(_reason(exc))
            self._tell(table, ns_id, request_id, reasons[0])

    def _tell(self, table: str, ns_id: int, request_id: UUID | None, reason: str) -> None:
        event = EventRow(
            ns_id,
            uuid_utils.compat.uuid7(),
            datetime.now(UTC),
            "row_refused",
            request_id,
            {"table": table, "reason": reason},
        )
        self._tables.copy_events(self._connection, [event])
        self.event_ids.append(event.id)

    def _try[**P](self, store: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            with self._connection.transaction():
                store(*args, **kwargs)
        except REFUSED:
            return False  # e.g. it is stored already; the event tells
        return True


def _reason(exc: Exception) -> str:
    found = exc.diag.message_primary if isinstance(exc, psycopg.Error) else None
    return clean(found or f"{type(exc).__name__}: {exc}")[:500]
