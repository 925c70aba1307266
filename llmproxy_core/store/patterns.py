"""Patterns as screens and commands read them: which there are, their sums, and how to find one.

The sums of a pattern are its own and those of the patterns that were merged into it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store import sketch
from llmproxy_core.store.enhancements import digit_span
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.pages import HIGHEST, LOWEST
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.values import clean, clean_or_none
from llmproxy_core.success.rate import Rate, rate_of

type Order = Literal["calls", "newest", "success", "cost"]

KINDS: tuple[PatternKind, ...] = ("user", "system", "tools")
DAYS = 14
"""Days of the sums, today (UTC) included."""
MOST = 10_000
"""Those that are read where many are wanted, or the order is one of sums: those with most calls."""
NOTHING = [0] * DAYS
FEW_DIGITS = 4

PAGE = """
SELECT o.ns_id, s.name, o.id, o.kind, o.name, o.named_by IS NOT NULL, o.type, o.type_confidence,
    o.calls, o.first_seen, o.last_seen,
    (SELECT count(*) FROM pattern_versions v WHERE v.ns_id = o.ns_id AND v.pattern_id = o.id),
    (SELECT count(*) FROM enhancements e
        WHERE e.ns_id = o.ns_id AND e.pattern_id = o.id AND e.status = 'candidate')
FROM namespaces s JOIN prompt_patterns o ON o.ns_id = s.ns_id
WHERE o.merged_into IS NULL AND o.kind = ANY (CAST(:kinds AS text[]))
    AND (CAST(:namespace AS text) IS NULL OR s.name = :namespace)
    AND (CAST(:type AS text) IS NULL OR o.type = :type)
ORDER BY {order} LIMIT :limit
"""
PAGES: dict[Order, Prepared] = {
    "calls": Prepared(text(PAGE.format(order="o.calls DESC, o.id"))),
    "newest": Prepared(text(PAGE.format(order="o.last_seen DESC, o.id"))),
}
BY_ID = Prepared(
    text(
        PAGE.format(order="o.id").replace(
            "o.kind = ANY (CAST(:kinds AS text[]))", "o.id = ANY (CAST(:ids AS uuid[]))"
        )
    )
)
COUNTS = ("calls", "judged", "good", "input_tokens", "output_tokens", "cached_tokens")
# As doubles, which are exact to 2**53: Postgres adds up bigints as numerics, slowly.
SUMS = ", ".join([*(f"sum(d.{name}::float8)::bigint" for name in COUNTS), "sum(d.cost_usd)"])
ALL = ", ".join([*(f"sum(by_day.{name})::bigint" for name in COUNTS), "sum(by_day.cost_usd)"])
NAMED = ", ".join([*(f"sum(d.{name}::float8) AS {name}" for name in COUNTS), "sum(d.cost_usd)"])
# The patterns that are asked for, each with those that were merged into it.
FAMILY = """
SELECT asked.id AS heir, asked.ns_id, member.id FROM
    unnest(CAST(:ns_ids AS int4[]), CAST(:ids AS uuid[])) AS asked (ns_id, id)
CROSS JOIN LATERAL (
    SELECT asked.id UNION ALL SELECT m.id FROM prompt_patterns m
    WHERE m.ns_id = asked.ns_id AND m.merged_into = asked.id
) AS member
"""
# Of each member by itself: its index gives the days in order, nothing is sorted.
TRENDS = Prepared(
    text(f"""
SELECT family.heir, told.* FROM ({FAMILY}) AS family CROSS JOIN LATERAL (
    SELECT {ALL}, array_agg(by_day.place), array_agg(by_day.calls::int) FROM (
        SELECT d.day - :since AS place, {NAMED} AS cost_usd FROM pattern_days d
        WHERE d.ns_id = family.ns_id AND d.pattern_id = family.id AND d.day >= :since
        GROUP BY d.day
    ) AS by_day HAVING count(*) > 0
) AS told
""")  # noqa: S608
)
BY_MODEL = Prepared(
    text(f"""
SELECT d.day, d.model, {SUMS} FROM ({FAMILY}) AS family
JOIN pattern_days d ON d.ns_id = family.ns_id AND d.pattern_id = family.id AND d.day >= :since
GROUP BY 1, 2 ORDER BY 1, 2
""")  # noqa: S608
)
DETAILS = Prepared(
    text(f"""
SELECT d.model, d.duration_buckets, d.duration_counts, d.bad FROM ({FAMILY}) AS family
JOIN pattern_days d ON d.ns_id = family.ns_id AND d.pattern_id = family.id AND d.day >= :since
""")  # noqa: S608
)
FOUND = Prepared(
    text("""
SELECT p.id, p.merged_into, CASE WHEN p.name = :name THEN 0
    WHEN p.id BETWEEN :low AND :high OR (length(:digits) >= :few
        AND right(encode(uuid_send(p.id), 'hex'), length(:digits)) = :digits) THEN 1
    ELSE 2 END AS rank
FROM namespaces n JOIN prompt_patterns p ON p.ns_id = n.ns_id
WHERE p.name = :name OR p.id BETWEEN :low AND :high OR position(:words IN lower(p.name)) > 0
    OR (length(:digits) >= :few
        AND right(encode(uuid_send(p.id), 'hex'), length(:digits)) = :digits)
ORDER BY rank, p.calls DESC LIMIT 200
""")
)
MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Sums:
    """Of calls. `judged`: those that a signal which counts says anything of; `good`: and nothing bad.
    `bad`: calls by the signal that was bad. Times and `bad` are told of single patterns only."""

    calls: int = 0
    judged: int = 0
    good: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    p50_ms: float | None = None
    p95_ms: float | None = None
    bad: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> Rate:
        """Of success, with its 95 % interval."""
        judged = max(self.judged, 0)
        return rate_of(min(max(self.good, 0), judged), judged)


@dataclass(frozen=True, slots=True)
class PatternLine:
    """`calls`: all there ever were; `sums`: of the last DAYS, and `days` the calls of each of them,
    today last. `given`: a person named it. `candidates`: enhancements that wait for a person."""

    ns_id: int
    namespace: str
    id: UUID
    kind: PatternKind
    name: str
    given: bool
    type: str | None
    type_confidence: float | None
    calls: int
    first_seen: datetime
    last_seen: datetime
    versions: int = 0
    candidates: int = 0
    sums: Sums = field(default_factory=Sums)
    days: tuple[int, ...] = ()


BY_SUMS: dict[Order, Callable[[PatternLine], Any]] = {
    # Those that surely go badly before those of which little is known.
    "success": lambda one: (one.sums.rate.interval[1], -one.sums.judged),
    "cost": lambda one: -one.sums.cost_usd,
}
"""Orders that the database cannot page by."""


def patterns(
    conn: Connection,
    kinds: Sequence[PatternKind] = ("user",),
    *,
    order: Order = "calls",
    namespace: str | None = None,
    type: str | None = None,
    limit: int = 100,
    today: date | None = None,
) -> list[PatternLine]:
    """Those with most calls ever, that were seen last, go worst or cost most, first."""
    asked = {"namespace": clean_or_none(namespace), "type": clean_or_none(type)}
    first = BY_SUMS.get(order)
    page, most = (PAGES[order], limit) if first is None else (PAGES["calls"], MOST)
    found = _with_sums(conn, page.rows(conn, kinds=list(kinds), limit=most, **asked), today)
    return found if first is None else sorted(found, key=first)[:limit]


def by_id(conn: Connection, ids: Collection[UUID], today: date | None = None) -> list[PatternLine]:
    """Those of `ids` that are stored and were not merged into others."""
    rows = BY_ID.rows(conn, ids=list(ids), namespace=None, type=None, limit=len(ids))
    return _with_sums(conn, rows, today)


def find_ids(conn: Connection, text: str) -> list[UUID]:
    """The pattern of this name; else of an id that begins or ends (four digits or more) with this;
    else those with this in their names. 20 at most; of merged ones what they were merged into."""
    text = clean(text)
    digits, low, high = digit_span(text) or ("", HIGHEST, LOWEST)
    rows = FOUND.rows(
        conn, name=text, words=text.lower(), digits=digits, low=low, high=high, few=FEW_DIGITS
    )
    best = min((rank for _, _, rank in rows), default=0)
    found = dict.fromkeys(heir or id for id, heir, rank in rows if rank == best)
    return list(found)[:MOST_FOUND]


def by_day(conn: Connection, ns_id: int, id: UUID, since: date) -> dict[tuple[date, str], Sums]:
    """Of one pattern, by day and model, the oldest first."""
    rows = BY_MODEL.rows(conn, ns_ids=[ns_id], ids=[id], since=since)
    return {(day, model): Sums(*values) for day, model, *values in rows}


def by_model(conn: Connection, ns_id: int, id: UUID, since: date) -> dict[str, Sums]:
    """Of one pattern, with times and signals; the model with most calls first."""
    sums: dict[str, list[Any]] = {}
    for (_, model), one in by_day(conn, ns_id, id, since).items():
        sums[model] = added(sums.get(model), one)
    times: dict[str, dict[int, int]] = {}
    bad: dict[str, dict[str, int]] = {}
    rows = DETAILS.rows(conn, ns_ids=[ns_id], ids=[id], since=since)
    for model, buckets, counts, signals in rows:
        _count(times.setdefault(model, {}), zip(buckets, counts, strict=True))
        _count(bad.setdefault(model, {}), signals.items())
    found = {
        model: _sums(values, times.get(model, {}), bad.get(model, {}))
        for model, values in sums.items()
    }
    return dict(sorted(found.items(), key=lambda one: (-one[1].calls, one[0])))


def total(conn: Connection, ns_id: int, id: UUID, since: date) -> Sums:
    """Of one pattern and all models, with times and signals."""
    values: list[Any] | None = None
    for one in by_day(conn, ns_id, id, since).values():
        values = added(values, one)
    times: dict[int, int] = {}
    bad: dict[str, int] = {}
    for _, buckets, counts, signals in DETAILS.rows(conn, ns_ids=[ns_id], ids=[id], since=since):
        _count(times, zip(buckets, counts, strict=True))
        _count(bad, signals.items())
    return _sums(values, times, bad) if values else Sums()


def first_day(days: int = DAYS, today: date | None = None) -> date:
    """The first of the last `days`, today included."""
    return (today or datetime.now(UTC).date()) - timedelta(days=days - 1)


def added(values: list[Any] | None, one: Sums) -> list[Any]:
    """Sums as a list, with others added to them."""
    more = [
        one.calls, one.judged, one.good, one.input_tokens, one.output_tokens, one.cached_tokens,
        one.cost_usd,
    ]  # fmt: skip
    return more if values is None else [a + b for a, b in zip(values, more, strict=True)]


def _with_sums(
    conn: Connection, rows: Sequence[tuple[Any, ...]], today: date | None
) -> list[PatternLine]:
    since = first_day(today=today)
    asked = {"ns_ids": [row[0] for row in rows], "ids": [row[2] for row in rows]}
    sums: dict[UUID, list[Any]] = {}
    trends: dict[UUID, list[int]] = {}
    for id, *values, places, calls in TRENDS.rows(conn, **asked, since=since) if rows else ():
        sums[id] = [a + b for a, b in zip(sums[id], values, strict=True)] if id in sums else values
        trend = trends.setdefault(id, [*NOTHING])
        for place, number in zip(places, calls, strict=True):
            if place < DAYS:  # a clock may be ahead of ours
                trend[place] += number if number > 0 else 0
    return [
        PatternLine(
            *[*row, Sums(*sums.get(row[2], ())), tuple(trends.get(row[2], NOTHING))],
        )
        for row in rows
    ]


def _count[Name](into: dict[Name, int], more: Iterable[tuple[Name, int]]) -> None:
    for name, number in more:
        into[name] = into.get(name, 0) + number


def _sums(values: list[Any], times: dict[int, int], bad: dict[str, int]) -> Sums:
    return Sums(*[*values, *_percentiles(times), _positive(bad)])


def _percentiles(times: dict[int, int]) -> tuple[float | None, float | None]:
    counts = [(bucket, number) for bucket, number in times.items() if number > 0]
    return sketch.quantile(counts, 0.5), sketch.quantile(counts, 0.95)


def _positive(bad: dict[str, int]) -> dict[str, int]:
    """The most frequent first."""
    found = {name: number for name, number in bad.items() if number > 0}
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
