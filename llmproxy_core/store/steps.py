"""The steps of a migration that runs while others write: short locks, tried again and again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy import exc as sqlalchemy_errors

SHORT_WAIT = "150ms"
"""How long a step queues for its lock: those who come after it queue behind it."""
LONG_WAIT = "60s"
"""For a step that waits without being in anybody's way."""
PAUSE = 0.1
PATIENCE = 120.0


class Steps:
    """Runs statements that commit by themselves; a text of several is one transaction.

    Each step must be one that can be repeated: a migration that was killed begins again with its
    first step.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def short(self, sql: str) -> None:
        """A step that locks a table against writers for some milliseconds, once it has the lock.

        Raises:
            sqlalchemy.exc.OperationalError: the lock was not to be had for two minutes.
        """
        give_up_at = time.monotonic() + PATIENCE
        with self._waiting(SHORT_WAIT):
            while True:
                try:
                    self.run(sql)
                    return
                except sqlalchemy_errors.OperationalError as exc:
                    if not _locked_out(exc) or time.monotonic() > give_up_at:
                        raise
                time.sleep(PAUSE)

    def long(self, sql: str) -> None:
        """One statement that takes its time, under a lock that lets others read and write."""
        with self._waiting(LONG_WAIT):
            self.run(sql)

    def index(self, part: str, name: str, what: str) -> None:
        """Index a table beside its readers and writers; one that was broken off is begun again."""
        broken = "SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass(%s)"
        if self.ask(broken, name):
            self.short(f"DROP INDEX {name}")
        self.long(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {part} {what}")

    def run(self, sql: str) -> None:
        self._connection.exec_driver_sql(sql, execution_options={"no_parameters": True})

    def ask(self, sql: str, *values: object) -> object:
        """The first column of the first row, or None."""
        row = self._connection.exec_driver_sql(sql, values).first()
        return row[0] if row else None

    @contextmanager
    def _waiting(self, limit: str) -> Iterator[None]:
        before = self.ask("SELECT current_setting('lock_timeout')")
        self.run(f"SET lock_timeout = '{limit}'")
        try:
            yield
        finally:
            if not self._connection.closed and not self._connection.invalidated:
                self.run(f"SET lock_timeout = '{before}'")


def _locked_out(exc: sqlalchemy_errors.OperationalError) -> bool:
    return getattr(exc.orig, "sqlstate", None) in ("55P03", "40P01")
