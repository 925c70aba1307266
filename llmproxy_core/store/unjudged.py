"""Calls that are stored and still to be judged: in the table from the transaction that stores them
until the one that stores what was found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text

from llmproxy_core.store.guard_rows import UnjudgedRow
from llmproxy_core.store.prepared import Prepared

type PgConnection = psycopg.Connection[Any]

ADD = """
INSERT INTO unjudged (ns_id, id, home, request)
SELECT * FROM unnest(%s::int4[], %s::uuid[], %s::text[], %s::bool[]) ON CONFLICT DO NOTHING
"""
DROP = """
DELETE FROM unjudged u USING unnest(%s::int4[], %s::uuid[]) AS judged (ns_id, id)
WHERE u.ns_id = judged.ns_id AND u.id = judged.id
"""
OLDEST = Prepared(
    text("""
SELECT u.ns_id, u.id, u.home, u.request FROM namespaces n JOIN unjudged u ON u.ns_id = n.ns_id
WHERE u.home = :home ORDER BY u.id LIMIT :limit
""")
)
NAMESPACE = Prepared(text("SELECT name FROM namespaces WHERE ns_id = :ns_id"))


def add(connection: PgConnection, rows: Sequence[UnjudgedRow]) -> None:
    if rows:
        columns = [(row.ns_id, row.id, row.home, row.request) for row in rows]
        connection.execute(ADD, [list(column) for column in zip(*columns, strict=True)])


def drop(connection: PgConnection, keys: Sequence[tuple[int, UUID]]) -> None:
    if keys:
        connection.execute(DROP, [list(column) for column in zip(*keys, strict=True)])


def oldest(conn: Connection, home: str, limit: int) -> list[UnjudgedRow]:
    rows = OLDEST.rows(conn, home=home, limit=limit)
    return [UnjudgedRow(*row) for row in rows]


def namespace(conn: Connection, ns_id: int) -> str:
    """The name of a namespace; empty where there is none."""
    rows = NAMESPACE.rows(conn, ns_id=ns_id)
    return rows[0][0] if rows else ""
