"""One flow, whole: with headers, bodies as they passed, and tool calls."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from llmproxy_core.store.rows import RequestRow, ResponseRow, ToolCallRow
from llmproxy_core.store.tables import RequestTable, ResponseTable, ToolCallTable
from llmproxy_core.store.values import unpack

HASHES = ("hash_in", "hash_out", "upload_hash_in", "upload_hash_out", "head")


def request(conn: Connection, ns_id: int, id: UUID) -> RequestRow | None:
    row = _row(conn, RequestTable.__table__, ns_id, id)
    return RequestRow(**row) if row else None


def response(conn: Connection, ns_id: int, id: UUID) -> ResponseRow | None:
    row = _row(conn, ResponseTable.__table__, ns_id, id)
    return ResponseRow(**row) if row else None


def tool_calls(conn: Connection, ns_id: int, id: UUID) -> list[ToolCallRow]:
    c = ToolCallTable.__table__.c
    query = select(c.ns_id, c.request_id, c.ordinal, c.call_id, c.name, c.arguments_start)
    query = query.where(c.ns_id == ns_id, c.request_id == id).order_by(c.ordinal)
    return [ToolCallRow(*row) for row in conn.execute(query)]


def previous(conn: Connection, row: RequestRow) -> UUID | None:
    """The request before it in the same session."""
    c = RequestTable.__table__.c
    query = select(c.id).where(c.ns_id == row.ns_id, c.session_id == row.session_id, c.id < row.id)
    return conn.scalar(query.order_by(c.id.desc()).limit(1))


def _row(conn: Connection, table: Any, ns_id: int, id: UUID) -> dict[str, Any] | None:
    found: Table = table
    query = select(found).where(found.c.ns_id == ns_id, found.c.id == id)
    row = conn.execute(query).mappings().first()
    return _values(row) if row else None


def _values(row: Mapping[Any, Any]) -> dict[str, Any]:
    """As the row classes have them: bodies unpacked, hashes as bytes, headers as pairs."""
    values = dict(row)
    values["body"] = unpack(values.pop("body_encoding"), values["body"])
    for name in HASHES:
        if values.get(name) is not None:
            values[name] = values[name].bytes
    for name in ("headers", "trailers"):
        if name in values:
            values[name] = [(key, value) for key, value in values[name]]
    for name in ("text_start", "n_tool_calls", "base_id"):
        values.pop(name, None)
    if "text" in values:
        del values["tool_names"]
    return values
