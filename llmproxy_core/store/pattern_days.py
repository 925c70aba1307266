"""The sums of patterns by day and model: running totals of a writer.

One of their parts may be negative, where a later signal took back what was said of a call.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import sketch
from llmproxy_core.store.learning_rows import PatternSum
from llmproxy_core.store.ledger import Ledger
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
        sketch.count(self.durations, row.duration_ms)
        for signal, calls in row.bad.items():
            self.bad[signal] = self.bad.get(signal, 0) + calls

    def values(self) -> list[Any]:
        return [
            *(getattr(self, name) for name in SUMS),
            *sketch.arrays(self.durations),
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
    connection.execute(ADD, [*_key(row), OF_PEOPLE, row.judged, row.good, bad])


def ledger() -> Ledger[PatternSum]:
    return Ledger(PUT, _key, Day, MOST_HELD)


def _key(row: PatternSum) -> Key:
    return (row.ns_id, row.pattern_id, row.day, clean(row.model))
