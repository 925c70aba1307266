"""What is to be told to webhooks: stored with what it tells of, until it is delivered or given up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.errors import StoreError
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import DeliveryRow
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]

KEPT_DAYS = 7
"""So long one sees what was delivered, or was not."""

ADD = """
INSERT INTO webhook_deliveries
    (ns_id, id, home, webhook, event, body, at, state, attempts, next_at)
SELECT ns_id, id, home, webhook, event, body, at, 'waiting', 0, now()
FROM unnest(%s::int4[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::uuid[]) AS new (ns_id, id, home, webhook, event, body, at, anomaly)
WHERE anomaly IS NULL
    OR EXISTS (SELECT FROM anomalies a WHERE a.ns_id = new.ns_id AND a.id = new.anomaly)
ON CONFLICT DO NOTHING
"""
DUE = """
SELECT d.ns_id, d.id, d.webhook, d.event, d.body, d.attempts
FROM namespaces n JOIN webhook_deliveries d ON d.ns_id = n.ns_id
WHERE d.home = %s AND d.state = 'waiting' AND d.next_at <= now()
ORDER BY d.next_at, d.id LIMIT %s
"""
TRIED = """
UPDATE webhook_deliveries SET state = %s, attempts = attempts + 1, answer = %s,
    next_at = now() + make_interval(secs => %s)
WHERE ns_id = %s AND id = %s
"""
PRUNE = """
DELETE FROM webhook_deliveries d USING namespaces n
WHERE d.ns_id = n.ns_id AND d.home = %s AND d.state <> 'waiting'
    AND d.at < now() - make_interval(days => %s)
"""
CLEAR = """
DELETE FROM webhook_deliveries d USING namespaces n WHERE d.ns_id = n.ns_id AND d.home = %s
"""
COUNTS = """
SELECT d.webhook, d.state, count(*), max(d.next_at) FILTER (WHERE d.state = 'waiting'),
    (array_agg(d.answer ORDER BY d.at DESC) FILTER (WHERE d.answer IS NOT NULL))[1]
FROM namespaces n JOIN webhook_deliveries d ON d.ns_id = n.ns_id
WHERE d.home = %s GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Due:
    ns_id: int
    id: UUID
    webhook: str
    event: str
    body: str
    attempts: int
    """So far."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of the last KEPT_DAYS. `answer`: the last one there was; `next_at`: of those that wait."""

    webhook: str
    state: str
    number: int
    next_at: datetime | None
    answer: str | None


def add(connection: PgConnection, rows: Sequence[DeliveryRow]) -> None:
    """In the transaction of what they tell of, after it."""
    if rows:
        columns = [
            (r.ns_id, r.id, r.home, r.webhook, r.event, clean(r.body), r.at, r.anomaly)
            for r in rows
        ]
        connection.execute(ADD, [list(column) for column in zip(*columns, strict=True)])


def counts(connection: PgConnection, home: str) -> list[Count]:
    return [Count(*row) for row in connection.execute(COUNTS, [home])]


class Outbox:
    """What the worker of a home is to tell; see `outbox`."""

    def __init__(self, connection: PgConnection, home: str) -> None:
        self._connection = connection
        self._home = home

    def due(self, limit: int) -> list[Due]:
        return [Due(*row) for row in self._connection.execute(DUE, [self._home, limit])]

    def tried(self, one: Due, state: str, answer: str, next_in: float = 0.0) -> None:
        """How it went: `state` delivered, failed, or waiting, then for `next_in` seconds."""
        self._connection.execute(TRIED, [state, clean(answer), next_in, one.ns_id, one.id])

    def prune(self) -> None:
        self._connection.execute(PRUNE, [self._home, KEPT_DAYS])

    def clear(self) -> None:
        """There is nobody to be told any more."""
        self._connection.execute(CLEAR, [self._home])


@contextmanager
def outbox(database: Database, home: str) -> Iterator[Outbox]:
    """Over a connection of its own. Raises StoreError, also from within."""
    try:
        with database.raw() as connection:
            connection.autocommit = True
            yield Outbox(connection, home)
    except psycopg.Error as exc:
        raise StoreError(f"{database.where}: {exc}") from exc
