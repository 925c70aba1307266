"""How far things are: answers that are being written, journals being stored, money being spent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, func, literal, select, text

from llmproxy_core.spool import Position
from llmproxy_core.store.call_tables import OffsetTable, StreamDeltaTable
from llmproxy_core.store.namespace_tables import NamespaceTable
from llmproxy_core.store.prepared import Prepared

HOUR = timedelta(hours=1)


def streamed(conn: Connection, ids: Collection[UUID]) -> dict[UUID, int]:
    """Characters written so far of the answers of open flows; those without any are left out."""
    if not ids:
        return {}
    table = StreamDeltaTable
    query = (
        select(table.request_id, func.sum(func.length(table.text)))
        .join(NamespaceTable, NamespaceTable.ns_id == table.ns_id)
        .where(table.request_id == func.any(literal(list(ids))))
        .group_by(table.request_id)
    )
    return {request_id: int(length) for request_id, length in conn.execute(query)}


def stored(conn: Connection) -> dict[str, Position]:
    """How far each writer's journal is in the store."""
    table = OffsetTable
    rows = conn.execute(select(table.writer, table.segment, table.offset))
    return {writer: Position(segment, offset) for writer, segment, offset in rows}


def spent_since(conn: Connection, at: datetime) -> Decimal:
    """USD of the answers to requests that began in the hour of `at` or later."""
    spent: Decimal = SPENT.rows(conn, hour=at.replace(minute=0, second=0, microsecond=0))[0][0]
    return spent


SPENT = Prepared(
    text("""
SELECT coalesce(sum(u.cost_usd), 0) FROM namespaces n
JOIN rollups u ON u.ns_id = n.ns_id AND u.hour >= :hour
""")
)


def running(conn: Connection) -> int:
    """Calls without an answer, in the sessions that were active in the last hour."""
    count: int = RUNNING.rows(conn, since=datetime.now(UTC) - HOUR)[0][0]
    return count


RUNNING = Prepared(
    text("""
SELECT coalesce(sum(greatest(s.requests - s.responses, 0)), 0)::bigint FROM namespaces n
JOIN sessions s ON s.ns_id = n.ns_id AND s.last_at > :since
""")
)


@dataclass(frozen=True, slots=True)
class Losses:
    """What was not kept. `bodies` of calls that were; `damaged`: places in journals."""

    records: int = 0
    bodies: int = 0
    damaged: int = 0
    refused: int = 0
    """Rows that Postgres refused, stored without what it refused."""

    def __bool__(self) -> bool:
        return bool(self.records or self.bodies or self.damaged or self.refused)


def losses(conn: Connection, since: datetime) -> Losses:
    """What `gap` and `row_refused` events of `since` and later tell."""
    low = UUID(int=int(since.timestamp() * 1000) << 80)
    return Losses(*conn.execute(LOSSES, {"low": low}).one())


LOSSES = text("""
SELECT coalesce(sum((e.data ->> 'records')::numeric), 0)::bigint,
    coalesce(sum((e.data ->> 'bodies')::numeric), 0)::bigint,
    count(*) FILTER (WHERE e.data ->> 'reason' = 'damaged'),
    count(*) FILTER (WHERE e.kind = 'row_refused')
FROM namespaces n
JOIN analytics_events e ON e.ns_id = n.ns_id AND e.kind IN ('gap', 'row_refused') AND e.id >= :low
""")
