"""How far things are: answers that are being written, journals being stored, money being spent."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, func, literal, select

from llmproxy_core.spool import Position
from llmproxy_core.store.tables import (
    NamespaceTable,
    OffsetTable,
    ResponseTable,
    StreamDeltaTable,
)


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
    """USD of the answers to requests that began at `at` or later."""
    table = ResponseTable
    low = UUID(int=int(at.timestamp() * 1000) << 80)
    query = (
        select(func.coalesce(func.sum(table.cost_usd), 0))
        .join(NamespaceTable, NamespaceTable.ns_id == table.ns_id)
        .where(table.id >= low)
    )
    return conn.execute(query).scalar_one() or Decimal(0)
