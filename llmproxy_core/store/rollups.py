"""The writer's part of the rollups: running totals in memory, written over its own rows.

Each batch replaces the rows of what it touched, so that the server adds up nothing. A writer
counts only what it has committed; whenever that is in doubt it begins new rows (another `part`).
Whoever reads adds up the parts.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from llmproxy_core.store import sketch
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]
type Key = tuple[int, datetime, str, str, str]

MOST_HELD = 2000
"""Totals in memory, of about 2 KB each."""


@dataclass(slots=True)
class Totals:
    requests: int = 0
    errors: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    durations: dict[int, int] = field(default_factory=dict)
    first_tokens: dict[int, int] = field(default_factory=dict)

    def add(self, row: Contribution) -> None:
        self.requests += 1
        self.errors += row.error
        self.tool_calls += row.tool_calls
        self.input_tokens += row.input_tokens
        self.output_tokens += row.output_tokens
        self.cached_tokens += row.cached_tokens
        self.cache_write_tokens += row.cache_write_tokens
        self.reasoning_tokens += row.reasoning_tokens
        self.cost_usd += row.cost_usd
        _count(self.durations, row.duration_ms)
        _count(self.first_tokens, row.first_token_ms)

    def values(self) -> list[Any]:
        """In the order of SUMS and SKETCHES."""
        sums = [getattr(self, name) for name in SUMS]
        return [*sums, *_arrays(self.durations), *_arrays(self.first_tokens)]

    def copy(self) -> "Totals":
        durations, first_tokens = dict(self.durations), dict(self.first_tokens)
        return replace(self, durations=durations, first_tokens=first_tokens)


SUMS = tuple(f.name for f in fields(Totals) if f.name not in ("durations", "first_tokens"))
SKETCHES = {
    "duration_buckets": "int2[]",
    "duration_counts": "int4[]",
    "first_token_buckets": "int2[]",
    "first_token_counts": "int4[]",
}
KEYS = ("ns_id", "hour", "provider", "model", "client", "part")
PUT = f"""
INSERT INTO rollups ({", ".join((*KEYS, *SUMS, *SKETCHES))})
VALUES ({", ".join(["%s"] * len((*KEYS, *SUMS)) + [f"%s::{kind}" for kind in SKETCHES.values()])})
ON CONFLICT (ns_id, hour, provider, model, client, part) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*SUMS, *SKETCHES))}
"""  # noqa: S608


class Ledger:
    """The totals of one writer. `write` within a transaction, `commit` or `doubt` after it."""

    def __init__(self) -> None:
        self._held: dict[Key, Totals] = {}
        self._touched: dict[Key, Totals] = {}
        self._part = _new_part()

    def write(self, connection: PgConnection, rows: Sequence[Contribution]) -> None:
        """Store what the rows make of the totals."""
        self._touched = {}
        for row in rows:
            key = (row.ns_id, row.hour, clean(row.provider), clean(row.model), clean(row.client))
            if (totals := self._touched.get(key)) is None:
                known = self._held.get(key)
                totals = self._touched[key] = known.copy() if known else Totals()
            totals.add(row)
        for key in sorted(self._touched):
            connection.execute(PUT, [*key, self._part, *self._touched[key].values()])

    def commit(self) -> None:
        """The transaction of the last `write` was committed."""
        self._held |= self._touched
        self._touched = {}
        if len(self._held) > MOST_HELD:
            self.doubt()

    def doubt(self) -> None:
        """It was rolled back, or nobody knows: go on in new rows."""
        self._held, self._touched = {}, {}
        self._part = _new_part()


def _new_part() -> int:
    return secrets.randbits(62)


def _count(counts: dict[int, int], ms: float | None) -> None:
    if ms is not None:
        found = sketch.bucket(ms)
        counts[found] = counts.get(found, 0) + 1


def _arrays(counts: dict[int, int]) -> Iterable[str]:
    """As Postgres writes arrays: cheaper than lists."""
    ordered = sorted(counts)
    yield "{" + ",".join(map(str, ordered)) + "}"
    yield "{" + ",".join([str(counts[number]) for number in ordered]) + "}"
