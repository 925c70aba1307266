"""The calls of conversations of an experiment, as they are judged."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.prepared import Prepared

OF_CONVERSATIONS = Prepared(
    text("""
SELECT a.root, a.request_id, a.arm, a.kept, a.why, q.provider, r.state, r.ended_at, r.cost_usd,
    r.duration_ms, r.input_tokens, r.output_tokens, r.cached_tokens, r.cache_write_tokens
FROM applied a
JOIN requests q ON q.ns_id = a.ns_id AND q.id = a.request_id AND q.id BETWEEN :low AND :high
JOIN responses r ON r.ns_id = a.ns_id AND r.id = a.request_id AND r.id BETWEEN :low AND :high
WHERE a.ns_id = :ns_id AND a.kind = 'experiment' AND a.name = :name
    AND a.request_id BETWEEN :low AND :high AND a.root = ANY (CAST(:roots AS uuid[]))
ORDER BY a.request_id
""")
)


class Conversed(NamedTuple):
    """One call. `kept`: the share of its cacheable prefix before the first edit; `why`: it was left
    as it was."""

    root: UUID
    id: UUID
    arm: str | None
    kept: float | None
    why: str | None
    provider: str
    state: str
    ended_at: datetime
    cost_usd: Decimal | None
    duration_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None


def of_conversations(
    conn: Connection, ns_id: int, experiment: UUID, roots: Sequence[UUID], low: UUID, high: UUID
) -> dict[UUID, list[Conversed]]:
    """By their roots, in the order of time; those with ids from `low` to `high`."""
    found: dict[UUID, list[Conversed]] = {}
    rows = OF_CONVERSATIONS.rows(
        conn, ns_id=ns_id, name=str(experiment), roots=list(roots), low=low, high=high
    )
    for row in map(Conversed._make, rows):
        found.setdefault(row.root, []).append(row)
    return found
