"""The partitions of the hot tables: one a week, made before the first row comes.

The epoch of a row is the number of its week since 1970, read from its uuidv7. What was stored
before the install had weeks, and what is dated before them, lies in one partition, NAME_before.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

WEEK_MS = 604_800_000
AHEAD = 2
"""Weeks that are there before they begin."""

type PgConnection = psycopg.Connection[Any]

MAKE = "SELECT llmproxy_make_weeks(%s::integer[])"


# A reader of some namespaces is not told how much there is of others.
SIZES = """
SELECT p.relname, c.relname, substring(c.relname FROM '_w([0-9]+)$')::integer,
    greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent
WHERE p.relkind = 'p' AND p.relnamespace = current_schema()::regnamespace
    AND NOT row_security_active(p.oid)
ORDER BY 3 DESC NULLS LAST, p.relname
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """`epoch`: None for what is older than the weeks. `rows`: as the last ANALYZE saw it."""

    table: str
    name: str
    epoch: int | None
    rows: int
    bytes: int


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


def sizes(connection: PgConnection) -> list[Partition]:
    """Every partition, newest first; none for a login that does not see all namespaces."""
    return [Partition(*row) for row in connection.execute(SIZES)]


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
