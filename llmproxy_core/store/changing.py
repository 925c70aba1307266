"""A connection for changes that are not a batch of the writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from llmproxy_core.errors import DatabaseUnavailable, StoreError
from llmproxy_core.store.database import Database


@contextmanager
def writing(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """Each change in a transaction of its own.

    Raises:
        DatabaseUnavailable: try again later.
        StoreError: the database refuses a change.
    """
    connection = database.raw()
    try:
        connection.autocommit = True
        yield connection
    except psycopg.OperationalError as exc:
        raise DatabaseUnavailable(f"{database.where}: {exc}") from exc
    except psycopg.Error as exc:
        raise StoreError(f"{database.where}: {exc}") from exc
    finally:
        connection.close()
