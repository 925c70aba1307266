"""What the worker does once an hour, beside storing: weeks made ahead, retention."""

import logging
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store import partitions, retention
from llmproxy_core.store.database import Database

FIRST = 30.0
"""Seconds from the start: what waits in the spool comes first."""
EVERY = 3600.0
PATIENCE = 10.0

logger = logging.getLogger(__name__)


class Housekeeping:
    """Works in a thread, over a connection of its own; Postgres does the work."""

    def __init__(self, days: int, first: float = FIRST, every: float = EVERY) -> None:
        self._days = days
        self._every = every
        self._due_at = time.monotonic() + first
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._removed = threading.Event()

    def look(self, database: Database) -> bool:
        """Begin if it is time. True if something was removed since the last look."""
        if time.monotonic() >= self._due_at and not self._is_busy():
            self._due_at = time.monotonic() + self._every
            self._thread = threading.Thread(target=self._work, args=[database], daemon=True)
            self._thread.start()
        removed = self._removed.is_set()
        if removed:
            self._removed.clear()
        return removed

    def stop(self) -> None:
        """Give up what is under way: it is taken up another time."""
        connection = self._connection
        if connection is not None and self._is_busy():
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=PATIENCE)
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _work(self, database: Database) -> None:
        try:
            with database.raw() as connection:
                connection.autocommit = True
                connection.execute("SET statement_timeout = 0")
                self._connection = connection
                partitions.make_ahead(connection)
                for week in retention.sweep(connection, self._days):
                    self._removed.set()
                    number = sum(week.requests.values())
                    logger.info(f"retention: {number} calls of {week.week} removed")
        except (LlmproxyError, psycopg.Error) as exc:
            # nothing is half done; storing goes on
            logger.warning(f"housekeeping is put off: {exc}")
        finally:
            self._connection = None
