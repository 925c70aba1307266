"""What the store knows of a pattern that suggestions can be made of."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.prepared import Prepared

BUSY = Prepared(
    text("""
SELECT p.ns_id, p.id, p.kind, p.name, coalesce(p.type, ''), p.pieces, p.calls, p.first_seen,
    p.last_seen, p.wanted_at
FROM namespaces n JOIN prompt_patterns p ON p.ns_id = n.ns_id
WHERE p.kind = 'user' AND p.merged_into IS NULL AND (p.calls >= :least OR p.wanted_at IS NOT NULL)
ORDER BY p.wanted_at, p.last_seen DESC LIMIT :limit
""")
)
NEWEST = Prepared(
    text("""
SELECT c.request_id FROM pattern_calls c
WHERE c.ns_id = :ns_id AND c.pattern_id = ANY (
    SELECT m.id FROM prompt_patterns m
    WHERE m.ns_id = :ns_id AND (m.id = :id OR m.merged_into = :id))
AND NOT EXISTS (SELECT FROM applied a WHERE a.ns_id = c.ns_id AND a.request_id = c.request_id
    AND a.kind = 'experiment' AND a.why IS NULL AND a.arm NOT IN ('control', 'holdout'))
ORDER BY c.request_id DESC LIMIT :limit
""")
)
MOST = 1_000


class Busy(NamedTuple):
    """A pattern that is asked often enough. `wanted_at`: a person wants the advisor to be asked."""

    ns_id: int
    id: UUID
    kind: str
    name: str
    type: str
    pieces: list[str | None]
    calls: int
    first_seen: datetime
    last_seen: datetime
    wanted_at: datetime | None


def busy(conn: Connection, least: int) -> list[Busy]:
    """Those that people want first, then the ones that were seen last."""
    return [Busy._make(row) for row in BUSY.rows(conn, least=least, limit=MOST)]


def newest(conn: Connection, ns_id: int, id: UUID, limit: int) -> list[UUID]:
    """The newest calls of a pattern that no variant of an experiment has changed."""
    return [call for (call,) in NEWEST.rows(conn, ns_id=ns_id, id=id, limit=limit)]
