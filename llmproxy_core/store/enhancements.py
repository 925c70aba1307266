"""Suggestions as screens, commands and the worker read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.enhancements import record
from llmproxy_core.enhancements.enhancement import Enhancement, Status
from llmproxy_core.store.pages import HIGHEST
from llmproxy_core.store.prepared import Prepared

STATUSES = cast(tuple[Status, ...], get_args(Status.__value__))
OPEN: tuple[Status, ...] = ("candidate", "approved", "experimenting")
"""Of those that may still become something."""
FIELDS = (
    "id, pattern_id, type, edit, confidence, reasoning, source_engine, aim, status, was_applied, "
    "effectiveness_score, experiment_id, saving_usd_per_day, wires, history"
)
OWN = ", ".join(f"e.{name}" for name in FIELDS.split(", "))
COLUMNS = f"e.ns_id, n.name, coalesce(p.name, ''), e.created_at, {OWN}"
JOINED = """
namespaces n JOIN enhancements e ON e.ns_id = n.ns_id
LEFT JOIN prompt_patterns p ON p.ns_id = e.ns_id AND p.id = e.pattern_id
"""
# Each status by itself: an index gives its newest in order.
NEWEST = Prepared(
    text(f"""
SELECT {COLUMNS} FROM (
    SELECT page.ns_id, page.id FROM namespaces n
    CROSS JOIN unnest(CAST(:statuses AS text[])) AS wanted (status)
    CROSS JOIN LATERAL (
        SELECT o.ns_id, o.id FROM enhancements o
        WHERE o.ns_id = n.ns_id AND o.status = wanted.status AND o.id < :before
        ORDER BY o.id DESC LIMIT :limit
    ) AS page
    ORDER BY page.id DESC LIMIT :limit
) AS newest
JOIN enhancements e ON e.ns_id = newest.ns_id AND e.id = newest.id
JOIN namespaces n ON n.ns_id = e.ns_id
LEFT JOIN prompt_patterns p ON p.ns_id = e.ns_id AND p.id = e.pattern_id
ORDER BY e.id DESC
""")  # noqa: S608
)
OF_PATTERN = Prepared(
    text(f"""
SELECT {COLUMNS} FROM {JOINED}
WHERE e.ns_id = :ns_id AND e.pattern_id = :pattern ORDER BY e.id DESC LIMIT :limit
""")  # noqa: S608
)
BY_ID = Prepared(
    text(f"SELECT {COLUMNS} FROM {JOINED} WHERE e.id = ANY (CAST(:ids AS uuid[]))")  # noqa: S608
)
FOUND = Prepared(
    text("""
SELECT e.id FROM namespaces n JOIN enhancements e ON e.ns_id = n.ns_id
WHERE e.id BETWEEN :low AND :high
    OR (length(:digits) >= 4 AND right(encode(uuid_send(e.id), 'hex'), length(:digits)) = :digits)
ORDER BY e.id DESC LIMIT 20
""")
)
WAITING = Prepared(
    text("""
SELECT count(*) FROM namespaces n JOIN enhancements e ON e.ns_id = n.ns_id
WHERE e.status = 'candidate'
""")
)
ASKED = Prepared(
    text("""
SELECT encode(uuid_send(a.evidence_hash), 'hex') FROM advised a
WHERE a.ns_id = :ns_id AND a.pattern_id = :pattern
""")
)
MOST = 1000


@dataclass(frozen=True, slots=True)
class StoredEnhancement:
    """`pattern`: the name of its pattern; empty: there is none any more."""

    ns_id: int
    namespace: str
    pattern: str
    created_at: datetime
    one: Enhancement

    @property
    def id(self) -> UUID:
        return UUID(self.one.id)


def enhancements(
    conn: Connection,
    statuses: Sequence[Status] = OPEN,
    *,
    limit: int = 100,
    before: UUID | None = None,
) -> list[StoredEnhancement]:
    """The newest first: those with ids below `before`."""
    rows = NEWEST.rows(conn, statuses=list(statuses), limit=limit, before=before or HIGHEST)
    return [of_row(row) for row in rows]


def of_pattern(conn: Connection, ns_id: int, pattern: UUID) -> list[StoredEnhancement]:
    """All that was suggested for a pattern, whatever became of it; the newest first."""
    rows = OF_PATTERN.rows(conn, ns_id=ns_id, pattern=pattern, limit=MOST)
    return [of_row(row) for row in rows]


def waiting(conn: Connection) -> int:
    """How many wait for a person."""
    return int(WAITING.rows(conn)[0][0])


def by_id(conn: Connection, ids: Iterable[UUID]) -> list[StoredEnhancement]:
    return [of_row(row) for row in BY_ID.rows(conn, ids=list(ids))]


def find_ids(conn: Connection, digits: str) -> list[UUID]:
    """Ids that begin with these hex digits, or end with them (four or more); 20 at most."""
    if (span := digit_span(digits)) is None:
        return []
    digits, low, high = span
    return [id for (id,) in FOUND.rows(conn, digits=digits, low=low, high=high)]


def asked(conn: Connection, ns_id: int, pattern: UUID) -> set[str]:
    """`Evidence.hash` of all that the advisor was asked about a pattern."""
    return {hash for (hash,) in ASKED.rows(conn, ns_id=ns_id, pattern=pattern)}


def digit_span(digits: str) -> tuple[str, UUID, UUID] | None:
    """The digits, and the first and last id that begin with them; None: they are none."""
    digits = digits.strip().replace("-", "").lower()
    if not digits or len(digits) > 32 or not frozenset("0123456789abcdef").issuperset(digits):
        return None
    return digits, UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def of_row(row: Sequence[Any]) -> StoredEnhancement:
    """Raises EnhancementError: somebody has written something else into the table."""
    ns_id, namespace, pattern, created_at, *values = row
    return StoredEnhancement(ns_id, namespace, pattern, created_at, of_values(values))


def of_values(values: Sequence[Any]) -> Enhancement:
    """In the order of FIELDS. Raises EnhancementError."""
    told = dict(zip(FIELDS.split(", "), values, strict=True))
    for name in ("id", "pattern_id", "experiment_id"):
        told[name] = str(told[name]) if told[name] is not None else None
    told["confidence"] = round(told["confidence"], 4)  # a real, read as a double
    if told["effectiveness_score"] is not None:
        told["effectiveness_score"] = round(told["effectiveness_score"], 4)
    return record.read(told)
