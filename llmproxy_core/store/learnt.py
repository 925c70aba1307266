"""What the worker asks when it goes on learning: patterns, what was said of calls, what was done to
them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.prepared import Prepared
from llmproxy_core.success.signal import Signal, Source

MOST_PATTERNS = 14_000
"""Of a namespace, the latest, with those that were merged: more than a worker keeps."""
ONE_MS = 1 << 80

PATTERNS = Prepared(
    text("""
SELECT p.id, p.kind, p.name, p.named_by, p.type, p.type_confidence, p.pieces, p.structure, p.state,
    p.calls, p.first_seen, p.last_seen, p.merged_into
FROM prompt_patterns p WHERE p.ns_id = :ns_id AND NOT p.state ? 'forgotten'
ORDER BY p.last_seen DESC LIMIT :limit
""")
)
REFERRED = Prepared(
    text("""
SELECT e.pattern_id FROM enhancements e WHERE e.ns_id = :ns_id
UNION SELECT e.pattern_id FROM experiments e WHERE e.ns_id = :ns_id AND e.pattern_id IS NOT NULL
UNION SELECT p.id FROM transformations t JOIN prompt_patterns p
    ON position(p.id::text IN t.expression) > 0 OR position(p.name IN t.expression) > 0
WHERE p.ns_id = :ns_id AND position('pattern.' IN t.expression) > 0
""")
)
CHANGED = Prepared(
    text("""
SELECT p.id, p.name, p.named_by, p.merged_into, p.changed_at FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.changed_at IS NOT NULL ORDER BY p.changed_at
""")
)
DAYS = Prepared(text("SELECT n.retention_days FROM namespaces n WHERE n.ns_id = :ns_id"))
PATTERNS_OF = Prepared(
    text("""
SELECT c.kind, c.pattern_id FROM pattern_calls c WHERE c.ns_id = :ns_id AND c.request_id = :id
""")
)
SIGNALS = Prepared(
    text("""
SELECT s.request_id, s.name, s.verdict, s.source, s.weight, s.why, s.told_by, s.at FROM signals s
WHERE s.ns_id = :ns_id AND s.request_id = ANY (CAST(:ids AS uuid[]))
    AND s.request_id BETWEEN :low AND :high
ORDER BY s.request_id, s.at
""")
)
APPLIED = Prepared(
    text("""
SELECT a.kind, a.name, a.arm, a.why, a.kept FROM applied a
WHERE a.ns_id = :ns_id AND a.request_id = :id
""")
)
LATEST = Prepared(
    text("""
SELECT r.ns_id, r.id FROM namespaces n CROSS JOIN LATERAL (
    SELECT o.ns_id, o.id FROM responses o WHERE o.ns_id = n.ns_id
    ORDER BY o.id DESC LIMIT :limit
) AS r ORDER BY r.id DESC LIMIT :limit
""")
)


class Changed(NamedTuple):
    """A pattern that a person has named or merged."""

    id: UUID
    name: str
    named_by: str | None
    merged_into: UUID | None
    changed_at: datetime


class Done(NamedTuple):
    """What the proxy did to a request; `why`: it left it alone."""

    kind: str
    name: str
    arm: str | None
    why: str | None
    kept: float | None


class Said(NamedTuple):
    signal: Signal
    at: datetime


def patterns(conn: Connection, ns_id: int) -> Sequence[tuple[Any, ...]]:
    return PATTERNS.rows(conn, ns_id=ns_id, limit=MOST_PATTERNS)


def changed(conn: Connection, ns_id: int) -> list[Changed]:
    return [Changed(*row) for row in CHANGED.rows(conn, ns_id=ns_id)]


def referred(conn: Connection, ns_id: int) -> list[UUID]:
    """Patterns that enhancements and experiments are of, and that rules name."""
    return [id for (id,) in REFERRED.rows(conn, ns_id=ns_id)]


def kept_days(conn: Connection, ns_id: int) -> int | None:
    """How many days a namespace keeps calls: 0 for ever, None as the settings say."""
    return next((days for (days,) in DAYS.rows(conn, ns_id=ns_id)), None)


def patterns_of(conn: Connection, ns_id: int, id: UUID) -> dict[str, UUID]:
    """The patterns of a call, by kind."""
    return {kind: pattern for kind, pattern in PATTERNS_OF.rows(conn, ns_id=ns_id, id=id)}


def signals(conn: Connection, ns_id: int, ids: Sequence[UUID]) -> dict[UUID, list[Signal]]:
    """Of each call what is said of it, in the order of time."""
    return {id: [one.signal for one in told] for id, told in said(conn, ns_id, ids).items()}


def said(conn: Connection, ns_id: int, ids: Sequence[UUID]) -> dict[UUID, list[Said]]:
    """As `signals`, with the times."""
    found: dict[UUID, list[Said]] = {}
    if not ids:
        return found
    rows = SIGNALS.rows(conn, ns_id=ns_id, ids=list(ids), low=min(ids), high=max(ids))
    for id, name, verdict, source, weight, why, by, at in rows:
        told = Signal(
            id, name, "good" if verdict > 0 else "bad", cast(Source, source), weight, why, by
        )
        found.setdefault(id, []).append(Said(told, at))
    return found


def applied(conn: Connection, ns_id: int, id: UUID) -> list[Done]:
    return [Done(*row) for row in APPLIED.rows(conn, ns_id=ns_id, id=id)]


def latest(conn: Connection, limit: int) -> Sequence[tuple[int, UUID]]:
    """The latest calls that are over: (ns_id, id), in order."""
    rows = LATEST.rows(conn, limit=limit)
    return [(ns_id, id) for ns_id, id in reversed(rows)]
