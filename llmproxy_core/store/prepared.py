"""Queries that are built once and run many times, by the driver itself.

To build a query of 40 columns, find it in the cache and wrap its rows takes SQLAlchemy 3 ms, more
than Postgres needs to answer it.
"""

from functools import cached_property
from typing import Any

import psycopg
from sqlalchemy import ClauseElement, Connection, make_url

DRIVER = make_url("postgresql+psycopg://")


class Prepared:
    """A query whose `bindparam`s are given when it runs. The server parses it once a connection."""

    def __init__(self, query: ClauseElement) -> None:
        self._query = query

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        compiled = self._query.compile(dialect=DRIVER.get_dialect()())
        return str(compiled), dict(compiled.params)

    def rows(self, conn: Connection, **values: Any) -> list[tuple[Any, ...]]:
        sql, constants = self._compiled
        with cursor(conn) as answers:
            return answers.execute(sql, constants | values).fetchall()


def cursor(conn: Connection) -> psycopg.Cursor[tuple[Any, ...]]:
    """Of the driver: in binary, since bodies as text would take twice their size."""
    driver: Any = conn.connection.driver_connection
    made: psycopg.Cursor[tuple[Any, ...]] = driver.cursor(binary=True)
    return made
