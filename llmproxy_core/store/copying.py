"""COPY: the fastest way to add rows, and the way round where row-level security refuses it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from llmproxy_core.store.columns import Columns, Values

type PgConnection = psycopg.Connection[Any]


class Copier:
    """`restricted`: for a login that is not the owner, by way of a temporary table."""

    def __init__(self, *, restricted: bool = False) -> None:
        self._restricted = restricted

    def copy(
        self, connection: PgConnection, table: str, columns: Columns, rows: Iterable[Values]
    ) -> None:
        """Add rows: `columns` names and types in the order of the values."""
        names = ", ".join(columns)
        with self.into(connection, table, names, "BINARY") as copy:
            copy.set_types(list(columns.values()))
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def into(
        self, connection: PgConnection, table: str, names: str, form: str = "TEXT"
    ) -> Iterator[psycopg.Copy]:
        """A COPY into some columns of a table; what was written is in it at the end."""
        target = f"incoming_{table}" if self._restricted else table
        if self._restricted:
            connection.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {target} (LIKE {table} INCLUDING DEFAULTS);"
                f"TRUNCATE {target}"
            )
        statement = f"COPY {target} ({names}) FROM STDIN (FORMAT {form})"
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
        if self._restricted:
            connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {target}")  # noqa: S608
