"""COPY: the fastest way to add rows, and the way round where row-level security refuses it."""

from collections.abc import Iterable
from typing import Any

import psycopg

from llmproxy_core.store.columns import Columns, Values

type PgConnection = psycopg.Connection[Any]


def copy(connection: PgConnection, table: str, columns: Columns, rows: Iterable[Values]) -> None:
    """Add rows: `columns` names and types in the order of the values."""
    names = ", ".join(columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as into,
    ):
        into.set_types(list(columns.values()))
        for row in rows:
            into.write_row(row)


def copy_restricted(
    connection: PgConnection, table: str, columns: Columns, rows: Iterable[Values]
) -> None:
    """As `copy`, for a login that is not the owner: by way of a temporary table."""
    names = ", ".join(columns)
    incoming = f"incoming_{table}"
    connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table} INCLUDING DEFAULTS)"
    )
    connection.execute(f"TRUNCATE {incoming}")
    copy(connection, incoming, columns, rows)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {incoming}")  # noqa: S608
