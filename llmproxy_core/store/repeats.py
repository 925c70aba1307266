"""What of a batch is stored already: a journal that is there twice, or is read again.

Told by the ids, half a flow at a time: its request may be stored, and its answer not yet. With a
half goes all that it contributes, so that no counter counts it twice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import uuid_utils.compat

from llmproxy_core.store import statements
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import EventRow, RequestRow, ResponseRow, SessionDelta
from llmproxy_core.store.guard_rows import AnomalyRow, DecisionRow
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.values import hash_id

type PgConnection = psycopg.Connection[Any]
type Key = tuple[int, UUID]
type Content = tuple[UUID, UUID, int]
"""Hash in, hash out, length in bytes."""

REQUESTS = """
SELECT s.ns_id, s.id, coalesce(s.hash_in, s.hash_out), s.hash_out, s.body_bytes FROM requests s
JOIN unnest(%s::int4[], %s::uuid[]) AS asked (ns_id, id) USING (ns_id, id)
"""
RESPONSES = REQUESTS.replace("FROM requests", "FROM responses")
EVENTS = """
SELECT s.ns_id, s.id FROM analytics_events s
JOIN unnest(%s::int4[], %s::uuid[]) AS asked (ns_id, id) USING (ns_id, id)
"""
UNMATCHED = "answer_without_request"


@dataclass(slots=True)
class Repeats:
    """What is stored of a batch, with its content."""

    requests: dict[Key, Content] = field(default_factory=dict)
    responses: dict[Key, Content] = field(default_factory=dict)
    events: set[Key] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.requests) + len(self.responses) + len(self.events)


def find(connection: PgConnection, batch: Batch) -> Repeats:
    """Looks for each row of the batch by its key, and for answers whose request is missing."""
    answers = [(row.ns_id, row.id) for row in batch.responses]
    unmatched = [_flow(row) for row in batch.events if row.kind == UNMATCHED]
    found = Repeats(
        _contents(connection, REQUESTS, [(row.ns_id, row.id) for row in batch.requests]),
        _contents(connection, RESPONSES, answers + unmatched),
        set(_asked(connection, EVENTS, [(row.ns_id, row.id) for row in batch.events])),
    )
    found.events |= {
        (row.ns_id, row.id)
        for row in batch.events
        if row.kind == UNMATCHED and _flow(row) in found.responses
    }
    return found


def without(batch: Batch, found: Repeats) -> Batch:
    """The rest of the batch; what is stored with another content is told in it as an event."""
    asked, answered = found.requests, found.responses
    return replace(
        batch,
        requests=_fresh(batch.requests, asked, _id),
        responses=_fresh(batch.responses, answered, _id),
        tool_calls=_fresh(batch.tool_calls, answered, lambda row: (row.ns_id, row.request_id)),
        sessions=[row for row in batch.sessions if not _counted(row, found)],
        events=[*_fresh(batch.events, found.events, _id), *_contradictions(batch, found)],
        deltas=_fresh(batch.deltas, answered, lambda row: (row.ns_id, row.request_id)),
        search=_fresh(batch.search, answered, _id),
        rollups=_fresh(batch.rollups, answered, _id),
        anomalies=_fresh_halves(batch.anomalies, found),
        decisions=_fresh_halves(batch.decisions, found),
        approvals=_fresh(batch.approvals, asked, lambda row: (row.ns_id, row.request_id)),
        lessons=_fresh_lessons(batch.lessons, answered),
    )


def _fresh_lessons(lessons: Lessons, answered: Iterable[Key]) -> Lessons:
    """Rows by a key are stored once anyway; sums are not, nor is a call learnt from again."""
    known = set(answered)
    return replace(
        lessons,
        unlearnt=_fresh(lessons.unlearnt, known, lambda row: (row.ns_id, row.id)),
        sums=[
            row for row in lessons.sums if row.call is None or (row.ns_id, row.call) not in known
        ],
    )


def drop_deltas(connection: PgConnection, batch: Batch, found: Repeats) -> None:
    """A journal that is read again writes down its open answers again."""
    statements.drop_deltas(
        connection, [row for row in batch.responses if _id(row) in found.responses]
    )


def _fresh[Row](rows: list[Row], stored: Iterable[Key], key: Callable[[Row], Key]) -> list[Row]:
    known = set(stored)
    return [row for row in rows if key(row) not in known]


def _fresh_halves[Row: (AnomalyRow, DecisionRow)](rows: list[Row], found: Repeats) -> list[Row]:
    """A judgement goes with the half of the call that it is of."""
    stored = {"request": found.requests, "response": found.responses}
    return [row for row in rows if (row.ns_id, row.request_id) not in stored[row.side]]


def _counted(row: SessionDelta, found: Repeats) -> bool:
    if row.flow is None:
        return False
    key = (row.ns_id, row.flow)
    return key in found.requests if row.requests else key in found.responses


def _contradictions(batch: Batch, found: Repeats) -> list[EventRow]:
    told = [
        _told("requests", row)
        for row in batch.requests
        if found.requests.get(_id(row), _content(row)) != _content(row)
    ]
    # that its proxy died while it was under way is what the other copy says
    return told + [
        _told("responses", row)
        for row in batch.responses
        if row.error_type != "killed"
        and found.responses.get(_id(row), _content(row)) != _content(row)
    ]


def _told(table: str, row: RequestRow | ResponseRow) -> EventRow:
    reason = "it is stored already, with another content"
    return EventRow(
        row.ns_id,
        uuid_utils.compat.uuid7(),
        datetime.now(UTC),
        "row_refused",
        row.id,
        {"table": table, "reason": reason},
    )


def _contents(connection: PgConnection, query: str, keys: Sequence[Key]) -> dict[Key, Content]:
    rows = _rows(connection, query, keys)
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


def _asked(connection: PgConnection, query: str, keys: Sequence[Key]) -> list[Key]:
    return [(row[0], row[1]) for row in _rows(connection, query, keys)]


def _rows(connection: PgConnection, query: str, keys: Sequence[Key]) -> list[tuple[Any, ...]]:
    if not keys:
        return []
    lists = [[key[0] for key in keys], [key[1] for key in keys]]
    return connection.execute(query, lists).fetchall()


def _id(row: Any) -> Key:
    return row.ns_id, row.id


def _flow(row: EventRow) -> Key:
    return row.ns_id, row.request_id or UUID(int=0)


def _content(row: RequestRow | ResponseRow) -> Content:
    return hash_id(row.hash_in), hash_id(row.hash_out), row.body_bytes
