"""The sums of patterns by day and model: running totals of a writer, as rollups are.

Each batch replaces the writer's own rows of what it touched; whenever it is in doubt what it has
committed it begins new ones (another `part`). Whoever reads adds up the parts; one of them may be
negative, where a later signal took back what was said of a call.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import sketch
from llmproxy_core.store.learning_rows import PatternSum
from llmproxy_core.store.values import clean, dump_jsonb

type PgConnection = psycopg.Connection[Any]
type Key = tuple[int, UUID, date, str]

MOST_HELD = 5000
"""Totals in memory, of about 1 KB each."""

PUT = """
INSERT INTO pattern_days (
    ns_id, pattern_id, day, model, part, calls, judged, good, input_tokens, output_tokens,
    cached_tokens, cost_usd, duration_buckets, duration_counts, bad
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::int2[], %s::int4[], %s::jsonb)
ON CONFLICT (ns_id, pattern_id, day, model, part) DO UPDATE SET
    calls = excluded.calls, judged = excluded.judged, good = excluded.good,
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cached_tokens = excluded.cached_tokens, cost_usd = excluded.cost_usd,
    duration_buckets = excluded.duration_buckets, duration_counts = excluded.duration_counts,
    bad = excluded.bad
"""
ADD = """
INSERT INTO pattern_days AS known (
    ns_id, pattern_id, day, model, part, calls, judged, good, input_tokens, output_tokens,
    cached_tokens, cost_usd, duration_buckets, duration_counts, bad
) VALUES (%s, %s, %s, %s, %s, 0, %s, %s, 0, 0, 0, 0, '{}', '{}', %s::text::jsonb)
ON CONFLICT (ns_id, pattern_id, day, model, part) DO UPDATE SET
    judged = known.judged + excluded.judged, good = known.good + excluded.good,
    bad = (SELECT coalesce(jsonb_object_agg(name, times), '{}') FROM (
        SELECT name, sum(told::bigint) AS times FROM (
            SELECT * FROM jsonb_each_text(known.bad)
            UNION ALL SELECT * FROM jsonb_each_text(excluded.bad)
        ) AS both_of_them (name, told) GROUP BY name
    ) AS summed WHERE times <> 0)
"""
OF_PEOPLE = 0
"""The part of what people have said: nobody holds its totals, they are added to."""


@dataclass(slots=True)
class Day:
    calls: int = 0
    judged: int = 0
    good: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    durations: dict[int, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)

    def add(self, row: PatternSum) -> None:
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(row, name))
        if row.duration_ms is not None:
            bucket = sketch.bucket(row.duration_ms)
            self.durations[bucket] = self.durations.get(bucket, 0) + 1
        for signal, calls in row.bad.items():
            self.bad[signal] = self.bad.get(signal, 0) + calls

    def values(self) -> list[Any]:
        buckets = sorted(self.durations)
        return [
            *(getattr(self, name) for name in SUMS),
            buckets,
            [self.durations[bucket] for bucket in buckets],
            dump_jsonb({name: calls for name, calls in self.bad.items() if calls}).decode(),
        ]

    def copy(self) -> "Day":
        copied = Day(*(getattr(self, name) for name in SUMS))
        copied.durations, copied.bad = dict(self.durations), dict(self.bad)
        return copied


SUMS = ("calls", "judged", "good", "input_tokens", "output_tokens", "cached_tokens", "cost_usd")


def add(connection: PgConnection, row: PatternSum) -> None:
    """What is said anew of a call, by somebody who holds no totals."""
    bad = dump_jsonb(row.bad).decode()
    key = (row.ns_id, row.pattern_id, row.day, clean(row.model))
    connection.execute(ADD, [*key, OF_PEOPLE, row.judged, row.good, bad])


class PatternLedger:
    """The totals of one writer. `write` within a transaction, `commit` or `doubt` after it."""

    def __init__(self) -> None:
        self._held: dict[Key, Day] = {}
        self._touched: dict[Key, Day] = {}
        self._part = secrets.randbits(62)

    def write(self, connection: PgConnection, rows: Sequence[PatternSum]) -> None:
        """Store what the rows make of the totals."""
        self._touched = {}
        for row in rows:
            key = (row.ns_id, row.pattern_id, row.day, clean(row.model))
            if (day := self._touched.get(key)) is None:
                known = self._held.get(key)
                day = self._touched[key] = known.copy() if known else Day()
            day.add(row)
        if self._touched:
            with connection.cursor() as cursor:
                cursor.executemany(
                    PUT,
                    [
                        [*key, self._part, *self._touched[key].values()]
                        for key in sorted(self._touched)
                    ],
                )

    def commit(self) -> None:
        """The transaction of the last `write` was committed."""
        self._held |= self._touched
        self._touched = {}
        if len(self._held) > MOST_HELD:
            self.doubt()

    def doubt(self) -> None:
        """It was rolled back, or nobody knows: go on in new rows."""
        self._held, self._touched = {}, {}
        self._part = secrets.randbits(62)
