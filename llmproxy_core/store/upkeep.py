"""What a store needs once an hour, beside the writer: weeks made ahead, retention."""

from contextlib import suppress
from typing import Any

import psycopg

from llmproxy_core.errors import StoreError
from llmproxy_core.store import partitions, retention
from llmproxy_core.store.database import Database
from llmproxy_core.store.retention import Removed

CANCEL_SECONDS = 5.0


class Upkeep:
    """One run, over a connection of its own. `days`: of namespaces that say nothing else."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._connection: psycopg.Connection[Any] | None = None

    def run(self) -> list[Removed]:
        """What was removed. Raises StoreError; then nothing is half done."""
        try:
            with self._database.raw() as connection:
                connection.autocommit = True
                connection.execute("SET statement_timeout = 0")
                self._connection = connection
                partitions.make_ahead(connection)
                return retention.sweep(connection, self._days)
        except psycopg.Error as exc:
            raise StoreError(f"{self._database.where}: {exc}") from exc
        finally:
            self._connection = None

    def cancel(self) -> None:
        """From another thread: `run` raises soon."""
        if (connection := self._connection) is not None:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=CANCEL_SECONDS)
