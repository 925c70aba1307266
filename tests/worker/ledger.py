"""A store in memory that keeps to the contract of the real one, for thousands of examples.

Refuses what the database would: a row that is there already. Sessions add up as they do there.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow, SessionDelta
from llmproxy_core.worker.moments import nanoseconds
from llmproxy_core.worker.sessions import Span
from tests.worker.remembered import Remembered

COUNTERS = (
    "requests",
    "responses",
    "errors",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cost_usd",
)


class Ledger(Remembered):
    """`faults`: what the next writes do: "before" or "after" the commit the connection breaks."""

    def __init__(self) -> None:
        self.requests: dict[UUID, Any] = {}
        self.responses: dict[UUID, Any] = {}
        self.tool_calls: dict[tuple[UUID, int], Any] = {}
        self.events: dict[UUID, Any] = {}
        self.deltas: dict[tuple[UUID, int], Any] = {}
        self.sessions: dict[UUID, dict[str, Any]] = {}
        self.stored: dict[str, OffsetRow] = {}
        self.faults: list[str] = []
        self.batches = 0
        self.is_watched = True

    def write(self, batch: Batch) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise DatabaseUnavailable("gone before the commit")
        self._write(deepcopy(batch))
        if fault == "after":
            raise DatabaseUnavailable("gone after the commit")

    def rows(self) -> dict[str, Any]:
        """Everything that was read, by its key, without offsets and batches."""
        return {
            "requests": self.requests,
            "responses": self.responses,
            "tool_calls": self.tool_calls,
            "events": self.events,
            "deltas": self.deltas,
            "sessions": self.sessions,
        }

    def offsets(self) -> dict[str, OffsetRow]:
        return deepcopy(self.stored)

    def namespace(self, name: str) -> int:
        return 1

    def watched(self) -> bool:
        return self.is_watched

    def sessions_of_requests(self, keys: Iterable[tuple[int, UUID]]) -> dict[UUID, Span]:
        stored = [self.requests[id] for _, id in keys if id in self.requests]
        return {row.id: self._span(row.session_id) for row in stored}

    def recent_sessions(self, ns_id: int, source: str, since: int) -> Sequence[Span]:
        ours = [self._span(id) for id, row in self.sessions.items() if row["source"] == source]
        return [span for span in ours if span.end >= since]

    def _span(self, id: UUID) -> Span:
        row = self.sessions[id]
        return Span(id, nanoseconds(row["started_at"]), nanoseconds(row["last_at"]))

    def _write(self, batch: Batch) -> None:
        self.batches += 1
        _add(self.requests, {row.id: row for row in batch.requests})
        _add(self.responses, {row.id: row for row in batch.responses})
        _add(self.tool_calls, {(row.request_id, row.ordinal): row for row in batch.tool_calls})
        _add(self.events, {row.id: row for row in batch.events})
        ended = {row.id for row in batch.responses}
        going = [row for row in batch.deltas if row.request_id not in ended]
        self.deltas = {(row.request_id, row.seq): row for row in going} | self.deltas
        self.deltas = {key: row for key, row in self.deltas.items() if key[0] not in ended}
        for delta in batch.sessions:
            self._add_to_session(delta)
        self.stored |= {row.writer: row for row in batch.offsets}
        for writer in batch.finished_writers:
            self.stored.pop(writer, None)

    def _add_to_session(self, delta: SessionDelta) -> None:
        row = self.sessions.get(delta.id)
        if row is None:
            row = asdict(delta) | {name: Decimal(0) for name in COUNTERS}
            row |= {"started_at": delta.at, "last_at": delta.at}
            del row["at"], row["flow"]
            self.sessions[delta.id] = row
        for name in COUNTERS:
            row[name] += getattr(delta, name)
        row["external_id"] = row["external_id"] or delta.external_id
        row["title"] = row["title"] or delta.title
        row["model"] = delta.model or row["model"]
        row["started_at"] = min(row["started_at"], delta.at)
        row["last_at"] = max(row["last_at"], delta.at)


def _add(table: dict[Any, Any], rows: dict[Any, Any]) -> None:
    twice = table.keys() & rows.keys()
    assert not twice, f"stored twice: {twice}"
    table.update(rows)
