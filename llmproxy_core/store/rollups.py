"""The sums of an hour by provider, model and client: running totals of a writer."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from llmproxy_core.store import sketch
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.ledger import Ledger
from llmproxy_core.store.values import clean

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
        sketch.count(self.durations, row.duration_ms)
        sketch.count(self.first_tokens, row.first_token_ms)

    def values(self) -> list[Any]:
        """In the order of SUMS and SKETCHES."""
        sums = [getattr(self, name) for name in SUMS]
        return [*sums, *sketch.arrays(self.durations), *sketch.arrays(self.first_tokens)]

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


def ledger() -> Ledger[Contribution]:
    return Ledger(PUT, _key, Totals, MOST_HELD)


def _key(row: Contribution) -> Key:
    return (row.ns_id, row.hour, clean(row.provider), clean(row.model), clean(row.client))
