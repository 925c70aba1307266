"""The writer's statements that are not COPY."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import ResponseRow, SessionDelta
from llmproxy_core.store.values import clean, clean_or_none

type PgConnection = psycopg.Connection[TupleRow]

WRITERS = 0x6C6C6D01
NAMESPACES = 0x6C6C6D02
STARS = 0x6C6C6D06

AM_WRITING = f"SELECT pg_advisory_xact_lock_shared({WRITERS})"
"""Held by whoever writes, so that `offsets` can wait for a commit whose answer got lost."""
WAIT_FOR_WRITERS = f"SELECT pg_advisory_xact_lock({WRITERS})"
AM_STARRING = f"SELECT pg_advisory_xact_lock_shared({STARS})"
"""Held while a star is set, so that no session is dropped between a look at it and its end."""
WAIT_FOR_STARS = f"SELECT pg_advisory_xact_lock({STARS})"
LOCK_NAMESPACES = f"SELECT pg_advisory_xact_lock({NAMESPACES})"

NOTIFY = "SELECT pg_notify(%s, %s)"
OFFSETS = 'SELECT writer, segment, "offset", replay_segment, replay_offset FROM spool_offsets'
NAMESPACE = """
SELECT ns_id FROM namespaces WHERE name = %(name)s OR %(name)s = ANY (former_names)
ORDER BY name <> %(name)s LIMIT 1
"""
"""A record may still have the name that it had when the record was written."""
ADD_NAMESPACE = """
INSERT INTO namespaces (ns_id, name)
SELECT coalesce(max(ns_id), 0) + 1, %(name)s FROM namespaces
HAVING NOT coalesce(bool_or(%(name)s = ANY (former_names)), false)
ON CONFLICT (name) DO NOTHING
"""

SESSION_COLUMNS = {
    "ns_id": "int4",
    "id": "uuid",
    "external_id": "text",
    "source": "text",
    "client": "text",
    "user_agent": "text",
    "provider": "text",
    "model": "text",
    "title": "text",
    "started_at": "timestamptz",
    "last_at": "timestamptz",
    "requests": "int8",
    "responses": "int8",
    "errors": "int8",
    "input_tokens": "int8",
    "output_tokens": "int8",
    "cached_tokens": "int8",
    "cost_usd": "numeric",
}
COUNTERS = tuple(SESSION_COLUMNS)[11:]

ADD_TO_SESSIONS = f"""
INSERT INTO sessions AS s ({", ".join(SESSION_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in SESSION_COLUMNS.values())})
ON CONFLICT (ns_id, id) DO UPDATE SET
    external_id = coalesce(s.external_id, excluded.external_id),
    user_agent = coalesce(s.user_agent, excluded.user_agent),
    model = coalesce(excluded.model, s.model),
    title = CASE WHEN s.title = '' THEN excluded.title ELSE s.title END,
    started_at = least(s.started_at, excluded.started_at),
    last_at = greatest(s.last_at, excluded.last_at),
    {", ".join(f"{name} = s.{name} + excluded.{name}" for name in COUNTERS)}
"""  # noqa: S608

ADD_DELTAS = """
INSERT INTO stream_deltas (ns_id, request_id, seq, kind, text)
SELECT * FROM unnest(%s::int4[], %s::uuid[], %s::int4[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING
"""

DROP_DELTAS = """
DELETE FROM stream_deltas d USING unnest(%s::int4[], %s::uuid[]) AS ended (ns_id, request_id)
WHERE d.ns_id = ended.ns_id AND d.request_id = ended.request_id
"""

STORE_OFFSETS = """
INSERT INTO spool_offsets (writer, segment, "offset", replay_segment, replay_offset)
SELECT * FROM unnest(%s::text[], %s::int8[], %s::int8[], %s::int8[], %s::int8[])
ON CONFLICT (writer) DO UPDATE SET
    segment = excluded.segment, "offset" = excluded."offset",
    replay_segment = excluded.replay_segment, replay_offset = excluded.replay_offset
"""
DROP_OFFSETS = "DELETE FROM spool_offsets WHERE writer = ANY(%s)"


def add_to_sessions(connection: PgConnection, rows: Sequence[SessionDelta]) -> None:
    """One statement, in the order of the keys, so that two workers cannot deadlock."""
    if rows:
        merged = [_session_values(same) for same in _by_key(rows)]
        connection.execute(ADD_TO_SESSIONS, [list(column) for column in zip(*merged, strict=True)])


def add_deltas(connection: PgConnection, batch: Batch) -> None:
    """Those of flows that go on. One that is there already was sent again after a restart."""
    ended = {row.id for row in batch.responses}
    rows = [row for row in batch.deltas if row.request_id not in ended]
    if rows:
        values = [
            [row.ns_id for row in rows],
            [row.request_id for row in rows],
            [row.seq for row in rows],
            [row.kind for row in rows],
            [clean(row.text) for row in rows],
        ]
        connection.execute(ADD_DELTAS, values)


def drop_deltas(connection: PgConnection, ended: Iterable[ResponseRow]) -> None:
    keys = [(row.ns_id, row.id) for row in ended]
    if keys:
        connection.execute(DROP_DELTAS, [[key[0] for key in keys], [key[1] for key in keys]])


def store_offsets(connection: PgConnection, batch: Batch) -> None:
    if batch.offsets:
        # The last one of a writer counts: a statement may not meet a row twice.
        rows = sorted({row.writer: row for row in batch.offsets}.values(), key=lambda r: r.writer)
        values = [[getattr(row, field.name) for row in rows] for field in fields(rows[0])]
        connection.execute(STORE_OFFSETS, values)
    if batch.finished_writers:
        connection.execute(DROP_OFFSETS, [batch.finished_writers])


def _by_key(rows: Sequence[SessionDelta]) -> list[list[SessionDelta]]:
    """The rows of each session, sessions in the order of their keys."""
    found: dict[tuple[int, UUID], list[SessionDelta]] = {}
    for row in rows:
        found.setdefault((row.ns_id, row.id), []).append(row)
    return [found[key] for key in sorted(found)]


def _session_values(rows: list[SessionDelta]) -> tuple[Any, ...]:
    """One row for all of `rows`, in the order of SESSION_COLUMNS."""
    first = rows[0]
    times = [row.at for row in rows]
    return (
        first.ns_id,
        first.id,
        _first(row.external_id for row in rows),
        clean(first.source),
        clean(first.client),
        _first(row.user_agent for row in rows),
        clean(first.provider),
        _first(row.model for row in reversed(rows)),
        _first(row.title for row in rows) or "",
        min(times),
        max(times),
        *(sum(getattr(row, name) for row in rows) for name in COUNTERS),
    )


def _first(texts: Iterable[str | None]) -> str | None:
    """The first one that says anything."""
    return clean_or_none(next((text for text in texts if text), None))
