"""What the rollups tell: cost, tokens, errors and percentiles of any time, by any of its names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, text

from llmproxy_core.store import sketch
from llmproxy_core.store.prepared import Prepared

type By = Literal["model", "client", "provider", "namespace", "day", "hour"]

GROUPS: dict[By, str] = {
    "model": "u.model",
    "client": "u.client",
    "provider": "u.provider",
    "namespace": "n.name",
    "day": "to_char(u.hour AT TIME ZONE :zone, 'YYYY-MM-DD')",
    "hour": "to_char(u.hour AT TIME ZONE :zone, 'YYYY-MM-DD HH24:00')",
}
"""A new grouping is a line here."""
BY_TIME = ("day", "hour")
QUANTILES = (0.5, 0.9, 0.99)

SUMS = """
SELECT {group}, sum(u.requests)::bigint, sum(u.errors)::bigint, sum(u.tool_calls)::bigint,
    sum(u.input_tokens)::bigint, sum(u.output_tokens)::bigint, sum(u.cached_tokens)::bigint,
    sum(u.cache_write_tokens)::bigint, sum(u.reasoning_tokens)::bigint, sum(u.cost_usd)
FROM namespaces n JOIN rollups u ON u.ns_id = n.ns_id
WHERE u.hour >= :since AND u.hour < :until
GROUP BY 1
"""
COUNTS = """
SELECT name, bucket, sum(count)::bigint FROM (
    SELECT {group} AS name, unnest(u.{kind}_buckets) AS bucket, unnest(u.{kind}_counts) AS count
    FROM namespaces n JOIN rollups u ON u.ns_id = n.ns_id
    WHERE u.hour >= :since AND u.hour < :until
) AS counts
GROUP BY 1, 2
"""


COST_PER_DAY = Prepared(
    text("""
SELECT to_char(hour AT TIME ZONE :zone, 'YYYY-MM-DD'), sum(cost)
FROM (
    SELECT u.hour, sum(u.cost_usd) AS cost FROM namespaces n JOIN rollups u ON u.ns_id = n.ns_id
    WHERE u.hour >= :since AND u.hour < :until GROUP BY u.hour
) AS hours
GROUP BY 1 ORDER BY 1
""")
)


@dataclass(slots=True)
class Percentiles:
    """Milliseconds; None: of no call that is known. Right to 2 %."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


@dataclass(slots=True)
class Statistics:
    """The sums of one group; `name`: its model, client, ..., or the time at which it begins."""

    name: str
    requests: int
    errors: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal
    duration_ms: Percentiles
    first_token_ms: Percentiles


def statistics(
    conn: Connection,
    by: By,
    since: datetime,
    until: datetime,
    *,
    zone: str = "UTC",
    percentiles: bool = True,
) -> list[Statistics]:
    """Of the calls that began in the hours of a time; days and hours in order, others by cost."""
    span = {"since": since, "until": until} | ({"zone": zone} if by in BY_TIME else {})
    none: dict[str, Percentiles] = {}
    durations = _percentiles(conn, by, "duration", span) if percentiles else none
    first_tokens = _percentiles(conn, by, "first_token", span) if percentiles else none
    found = [
        Statistics(*row[:10], *(of.get(row[0], Percentiles()) for of in (durations, first_tokens)))
        for row in _grouped(SUMS, by).rows(conn, **span)
    ]
    if by in BY_TIME:
        return sorted(found, key=lambda one: one.name)
    return sorted(found, key=lambda one: (-one.cost_usd, -one.requests, one.name))


def cost_per_day(
    conn: Connection, since: datetime, until: datetime, *, zone: str = "UTC"
) -> dict[str, Decimal]:
    """Day (YYYY-MM-DD in `zone`) -> USD; days without any call are left out."""
    span = {"since": since, "until": until, "zone": zone}
    return {day: cost for day, cost in COST_PER_DAY.rows(conn, **span)}


def _percentiles(
    conn: Connection, by: By, kind: str, span: dict[str, Any]
) -> dict[str, Percentiles]:
    counts: dict[str, list[tuple[int, int]]] = {}
    for name, bucket, count in _grouped(COUNTS, by, kind).rows(conn, **span):
        counts.setdefault(name, []).append((bucket, count))
    return {name: _of(found) for name, found in counts.items()}


@cache
def _grouped(sql: str, by: By, kind: str = "") -> Prepared:
    return Prepared(text(sql.format(group=GROUPS[by], kind=kind)))


def _of(counts: Iterable[tuple[int, int]]) -> Percentiles:
    ordered = list(counts)
    return Percentiles(*(sketch.quantile(ordered, q) for q in QUANTILES))
