"""The partitions of the hot tables: one a week, made before the first row comes.

The epoch of a row is the number of its week since 1970, read from its uuidv7. What was stored
before the install had weeks, and what is dated before them, lies in one partition, NAME_before.
"""

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg

WEEK_MS = 604_800_000
AHEAD = 2
"""Weeks that are there before they begin."""

type PgConnection = psycopg.Connection[Any]

MAKE = "SELECT llmproxy_make_weeks(%s::integer[])"


def epoch_of(id: UUID) -> int:
    """The week of a uuidv7."""
    return (id.int >> 80) // WEEK_MS


def epoch_now() -> int:
    return time.time_ns() // 1_000_000 // WEEK_MS


def ensure(connection: PgConnection, epochs: Iterable[int]) -> None:
    """Make the partitions of these weeks in every table, where they are missing.

    Safe beside others that do the same, and beside readers and writers: no lock stops them.
    """
    connection.execute(MAKE, [sorted(set(epochs))])


def make_ahead(connection: PgConnection) -> None:
    """Make this week and the next ones."""
    now = epoch_now()
    ensure(connection, range(now, now + AHEAD + 1))


class KnownWeeks:
    """Which weeks are there, so that a writer asks the database once a week."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def missing(self, ids: Iterable[UUID]) -> set[int]:
        """The weeks of these ids, and this one, as far as they are not known to be there."""
        return ({epoch_of(id) for id in ids} | {epoch_now()}) - self._known

    def ensure(self, connection: PgConnection, ids: Iterable[UUID]) -> None:
        missing = self.missing(ids)
        ensure(connection, missing)
        self._known |= missing

    def forget(self) -> None:
        """Ask again: a week may have been dropped, or made and rolled back."""
        self._known.clear()
