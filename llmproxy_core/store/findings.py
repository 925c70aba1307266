"""The writer's part of the guard: anomalies, what policies decided, calls that wait for a person.

The same finding in the same text is one row that counts its calls: a conversation repeats all of its
turns, and proxies forget what they have seen. Statements go in the order of the keys, so that two
workers cannot deadlock.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.hashing import content_hash
from llmproxy_core.store.guard_rows import AnomalyRow, ApprovalRow, DecisionRow
from llmproxy_core.store.values import clean, hash_id

type PgConnection = psycopg.Connection[Any]
type Key = tuple[int, UUID, str, UUID]
"""ns_id, text_hash, detector, evidence."""

ANOMALY_COLUMNS = {
    "ns_id": "int4",
    "text_hash": "uuid",
    "detector": "text",
    "evidence": "uuid",
    "id": "uuid",
    "request_id": "uuid",
    "side": "text",
    "at": "timestamptz",
    "family": "text",
    "score": "float4",
    "severity": "text",
    "author": "text",
    "kind": "text",
    "tool": "text",
    "said": "text",
    "excerpt": "text",
    "mark_start": "int4",
    "mark_end": "int4",
    "times": "int4",
    "last_at": "timestamptz",
    "last_request_id": "uuid",
    "status": "text",
}
DECISION_COLUMNS = {
    "ns_id": "int4",
    "request_id": "uuid",
    "id": "uuid",
    "at": "timestamptz",
    "policy": "text",
    "mode": "text",
    "action": "text",
    "outcome": "text",
    "why": "text",
}
APPROVAL_COLUMNS = {
    "ns_id": "int4",
    "request_id": "uuid",
    "policy": "text",
    "asked_at": "timestamptz",
    "expires_at": "timestamptz",
    "said": "text",
    "tool": "text",
    "state": "text",
}


def _rows(columns: Mapping[str, str]) -> str:
    return f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in columns.values())})"  # noqa: S608


ADD_ANOMALIES = f"""
INSERT INTO anomalies AS a ({", ".join(ANOMALY_COLUMNS)}) {_rows(ANOMALY_COLUMNS)}
ON CONFLICT (ns_id, text_hash, detector, evidence) DO UPDATE SET
    times = a.times
        + CASE WHEN excluded.last_request_id = a.last_request_id THEN 0 ELSE excluded.times END,
    last_at = greatest(a.last_at, excluded.last_at),
    last_request_id = greatest(a.last_request_id, excluded.last_request_id)
RETURNING ns_id, text_hash, detector, evidence, id
"""
ADD_DECISIONS = f"""
INSERT INTO policy_decisions ({", ".join(DECISION_COLUMNS)}, findings)
SELECT {", ".join(DECISION_COLUMNS)}, string_to_array(found, ' ')::uuid[]
FROM unnest({", ".join(f"%s::{kind}[]" for kind in DECISION_COLUMNS.values())}, %s::text[])
    AS new ({", ".join(DECISION_COLUMNS)}, found)
ON CONFLICT DO NOTHING
"""  # noqa: S608
ADD_APPROVALS = f"""
INSERT INTO approvals AS a ({", ".join(APPROVAL_COLUMNS)}) {_rows(APPROVAL_COLUMNS)}
ON CONFLICT (ns_id, request_id, tool) DO UPDATE SET state = excluded.state
WHERE a.state = 'waiting' AND excluded.state <> 'waiting'
"""


def add_anomalies(connection: PgConnection, rows: Sequence[AnomalyRow]) -> dict[UUID, UUID]:
    """The ids under which they are stored, by their own: those of earlier ones where there are."""
    same: dict[Key, list[AnomalyRow]] = {}
    for row in rows:
        same.setdefault(_key(row), []).append(row)
    if not same:
        return {}
    values = [_anomaly_values(key, same[key]) for key in sorted(same)]
    found = connection.execute(ADD_ANOMALIES, _columns(values)).fetchall()
    stored = {tuple(key): id for *key, id in found}
    return {row.id: stored[key] for key, rows in same.items() for row in rows}


def add_decisions(
    connection: PgConnection, rows: Sequence[DecisionRow], stored: Mapping[UUID, UUID]
) -> None:
    """`stored`: as `add_anomalies` gives it, of the same batch."""
    if rows:
        values = [_decision_values(row, stored) for row in rows]
        connection.execute(ADD_DECISIONS, _columns(values))


def add_approvals(connection: PgConnection, rows: Sequence[ApprovalRow]) -> None:
    """What a person has decided stays. Of a call, or of a call of a tool, the last row counts."""
    latest = {(row.ns_id, row.request_id, clean(row.tool)): row for row in rows}
    if latest:
        values = [_approval_values(latest[key]) for key in sorted(latest)]
        connection.execute(ADD_APPROVALS, _columns(values))


def _key(row: AnomalyRow) -> Key:
    shown = f"{row.mark_start}:{row.mark_end}:{clean(row.excerpt)}"
    evidence = content_hash(shown.encode())
    return row.ns_id, hash_id(row.text_hash), clean(row.detector), UUID(bytes=evidence)


def _anomaly_values(key: Key, rows: Sequence[AnomalyRow]) -> tuple[Any, ...]:
    """One row for all of the same finding."""
    first, last = rows[0], max(rows, key=lambda row: row.request_id)
    return (
        *key,
        first.id,
        first.request_id,
        first.side,
        first.at,
        first.family,
        first.score,
        first.severity,
        first.author,
        first.kind,
        clean(first.tool),
        clean(first.said),
        clean(first.excerpt),
        first.mark_start,
        first.mark_end,
        len({row.request_id for row in rows}),
        last.at,
        last.request_id,
        "detected",
    )


def _decision_values(row: DecisionRow, stored: Mapping[UUID, UUID]) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.request_id,
        row.id,
        row.at,
        clean(row.policy),
        clean(row.mode),
        clean(row.action),
        clean(row.outcome),
        clean(row.why),
        " ".join(str(stored.get(id, id)) for id in dict.fromkeys(row.findings)),
    )


def _approval_values(row: ApprovalRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.request_id,
        clean(row.policy),
        row.asked_at,
        row.expires_at,
        clean(row.said),
        clean(row.tool),
        row.state,
    )


def _columns(values: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]
