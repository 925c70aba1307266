"""Which statements a connection runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection


@contextmanager
def statements_of(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Each statement that the driver runs, with its values."""
    statements: list[tuple[str, Any]] = []

    class Telling(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            statements.append((query, params))
            return super().execute(query, params, **options)

    driver: Any = connection.connection.driver_connection
    usual, driver.cursor_factory = driver.cursor_factory, Telling
    try:
        yield statements
    finally:
        driver.cursor_factory = usual
