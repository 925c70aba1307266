"""Experiments as screens, commands and the worker read them, and what proxies are told of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.enhancements.enhancement import Aim
from llmproxy_core.errors import ConfigError
from llmproxy_core.experiments.experiment import STATUSES, Experiment, Status
from llmproxy_core.experiments.tally import SCALES, ArmTally, Moments, Outcome, Tally
from llmproxy_core.store import enhancements
from llmproxy_core.store.enhancements import digit_span
from llmproxy_core.store.pages import HIGHEST, LOWEST
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.transformations import OF_EXPERIMENT
from llmproxy_core.store.values import clean

STICKY_DAYS = 7
"""So long conversations that began in an experiment that has ended keep their arm."""
MOST = 1000

COLUMNS = """
e.ns_id, n.name, coalesce(p.name, ''), e.definition, e.tally, e.verdict, e.enhancement_id,
e.judged_at, e.created_at, e.created_by, e.started_at, e.ended_at, e.ended_by, e.ended_why,
e.probation
"""
JOINED = """
namespaces n JOIN experiments e ON e.ns_id = n.ns_id
LEFT JOIN prompt_patterns p ON p.ns_id = e.ns_id AND p.id = e.pattern_id
"""
NEWEST = Prepared(
    text(f"""
SELECT {COLUMNS} FROM {JOINED} WHERE e.status = ANY (CAST(:statuses AS text[]))
ORDER BY e.status IN ('running', 'won') DESC, e.id DESC LIMIT :limit
""")  # noqa: S608
)
BY_ID = Prepared(
    text(f"SELECT {COLUMNS} FROM {JOINED} WHERE e.id = ANY (CAST(:ids AS uuid[]))")  # noqa: S608
)
FOUND = Prepared(
    text("""
SELECT e.id FROM namespaces n JOIN experiments e ON e.ns_id = n.ns_id
WHERE e.name = :name OR (e.id BETWEEN :low AND :high) OR (length(:digits) >= 4
    AND right(encode(uuid_send(e.id), 'hex'), length(:digits)) = :digits)
ORDER BY e.name = :name DESC, e.id DESC LIMIT 20
""")
)
IN_FORCE = Prepared(
    text("""
SELECT n.name, e.name, e.definition, t.name FROM namespaces n
JOIN experiments e ON e.ns_id = n.ns_id
LEFT JOIN transformations t ON t.origin = :origin || e.id::text
WHERE e.status IN ('running', 'won', 'promoted')
    OR (e.status IN ('futile', 'stopped') AND e.ended_at > now() - make_interval(days => :days))
ORDER BY e.ns_id, e.id
""")
)
UNIT_COLUMNS = """
u.root, u.arm, u.first_request_id, u.first_at, u.last_at, u.calls, u.success, u.errors, u.cost_usd,
u.latency_ms, u.input_tokens, u.cached_tokens, u.predicted_cached, u.judged_at
"""
UNITS = Prepared(
    text(f"""
SELECT {UNIT_COLUMNS} FROM experiment_units u
WHERE u.ns_id = :ns_id AND u.experiment_id = :id ORDER BY u.last_at DESC LIMIT :limit
""")  # noqa: S608
)
JUDGED = Prepared(
    text(f"""
SELECT {UNIT_COLUMNS} FROM experiment_units u
WHERE u.ns_id = :ns_id AND u.experiment_id = :id AND u.judged_at IS NOT NULL
    AND u.first_at < to_timestamp(coalesce((
        SELECT min((step ->> 'at')::float8)
        FROM experiments e, jsonb_array_elements(e.definition -> 'steps') AS steps (step)
        WHERE e.ns_id = :ns_id AND e.id = :id AND step ->> 'status' = 'promoted'), 'infinity'))
ORDER BY u.judged_at, u.root
""")  # noqa: S608
)


def _sums(metric: str, value: str) -> str:
    """Number, sum and sum of squares of a metric, as `tally.Moments` has them."""
    scale = SCALES[metric]
    found = f"least(greatest(({value})::float8, {scale.low!r}), {scale.high!r})"
    found = f"ln({found})" if scale.log else found
    found = f"CASE WHEN ({value}) IS NOT NULL THEN {found} END"  # greatest() ignores NULL
    return f"count({found}), coalesce(sum({found}), 0), coalesce(sum({found} * {found}), 0)"


VALUES = {
    "cost_usd": "CASE WHEN u.success IS DISTINCT FROM 0 THEN u.cost_usd END",
    "latency_ms": "CASE WHEN u.success IS DISTINCT FROM 0 THEN u.latency_ms END",
    "cached_share": "u.cached_tokens / nullif(u.input_tokens, 0)::float8",
}
COUNTED = Prepared(
    text(f"""
SELECT u.arm, count(*) FILTER (WHERE u.success = 1), count(*) FILTER (WHERE u.success = 0),
    count(*) FILTER (WHERE u.errors > 0), count(*) FILTER (WHERE u.errors = 0),
    count(*) FILTER (WHERE u.success IS NULL), {", ".join(map(_sums, VALUES, VALUES.values()))}
FROM experiment_units u WHERE u.ns_id = :ns_id AND u.experiment_id = :id
    AND u.judged_at IS NOT NULL AND u.first_at >= to_timestamp(:since)
GROUP BY u.arm
""")  # noqa: S608
)
DUE = Prepared(
    text(f"""
SELECT u.ns_id, u.experiment_id, {UNIT_COLUMNS}
FROM namespaces n JOIN experiment_units u ON u.ns_id = n.ns_id
WHERE u.judged_at IS NULL AND u.first_at < :before ORDER BY u.first_at LIMIT :limit
""")  # noqa: S608
)
ARMS = Prepared(
    text("""
SELECT u.arm, count(*), count(u.judged_at), coalesce(sum(u.input_tokens), 0)::bigint,
    coalesce(sum(u.cached_tokens), 0)::bigint, coalesce(sum(u.predicted_cached), 0)::bigint
FROM experiment_units u WHERE u.ns_id = :ns_id AND u.experiment_id = :id GROUP BY u.arm
""")
)


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """`tally` and `verdict` (as JSON): the last while it ran, of `judged_at`. `probation`: the same
    since it was promoted. `pattern`: its name."""

    ns_id: int
    namespace: str
    pattern: str
    one: Experiment
    tally: Tally
    verdict: dict[str, Any]
    enhancement_id: UUID | None
    judged_at: datetime | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    probation: "Probation | None" = None

    @property
    def id(self) -> UUID:
        return UUID(self.one.id)


@dataclass(frozen=True, slots=True)
class Probation:
    """How what was promoted does beside the holdout, `since` a time (seconds since 1970)."""

    since: float
    tally: Tally
    verdict: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """A conversation of an experiment. `success`: None: nobody knows. `judged_at`: when it counted."""

    root: UUID
    arm: str
    first_request_id: UUID
    first_at: datetime
    last_at: datetime
    calls: int
    success: bool | None
    errors: int
    cost_usd: Decimal | None
    latency_ms: float | None
    input_tokens: int
    cached_tokens: int
    predicted_cached: int
    judged_at: datetime | None

    @property
    def outcome(self) -> Outcome:
        share = self.cached_tokens / self.input_tokens if self.input_tokens else None
        cost = None if self.cost_usd is None else float(self.cost_usd)
        failed = self.errors > 0
        return Outcome(
            self.root.bytes, self.arm, self.success, cost, self.latency_ms, failed, share
        )


@dataclass(frozen=True, slots=True)
class Arm:
    """`conversations`: all; `judged`: those that are counted. Tokens of all."""

    conversations: int = 0
    judged: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    predicted_cached: int = 0


def experiments(
    conn: Connection, statuses: Sequence[Status] = STATUSES, *, limit: int = 100
) -> list[StoredExperiment]:
    """Those that run first, then the newest."""
    rows = NEWEST.rows(conn, statuses=list(statuses), limit=limit)
    return [_of_row(row) for row in rows]


def by_id(conn: Connection, ids: Iterable[UUID]) -> list[StoredExperiment]:
    return [_of_row(row) for row in BY_ID.rows(conn, ids=list(ids))]


def find_ids(conn: Connection, text: str) -> list[UUID]:
    """Of those with this name, or whose id begins or ends (four digits or more) with this."""
    digits, low, high = digit_span(text) or ("", HIGHEST, LOWEST)
    rows = FOUND.rows(conn, name=clean(text), digits=digits, low=low, high=high)
    return [id for (id,) in rows]


def in_force(conn: Connection) -> tuple[list[dict[str, Any]], list[str]]:
    """What proxies are told: each as `Experiment.to_json`, with `namespace` and, once promoted,
    `rule`; and what is wrong with others."""
    found, problems = [], []
    for namespace, name, definition, rule in IN_FORCE.rows(
        conn, origin=OF_EXPERIMENT, days=STICKY_DAYS
    ):
        try:
            told = Experiment.of(definition).to_json()
        except ConfigError as exc:
            problems.append(f"experiment {name}: {exc} It is left out")
            continue
        found.append(told | {"namespace": namespace} | ({"rule": rule} if rule else {}))
    return found, problems


def units(conn: Connection, ns_id: int, id: UUID, *, limit: int = 100) -> list[Unit]:
    """The ones with the newest calls first."""
    return [_unit(row) for row in UNITS.rows(conn, ns_id=ns_id, id=id, limit=limit)]


def judged(conn: Connection, ns_id: int, id: UUID) -> list[Unit]:
    """All that are counted, in the order in which they were; not those since a promotion, which are
    in other shares."""
    return [_unit(row) for row in JUDGED.rows(conn, ns_id=ns_id, id=id)]


def counted(conn: Connection, ns_id: int, id: UUID, since: float = 0.0) -> Tally:
    """The sums of those that are counted, and began since a time (seconds since 1970)."""
    arms = {}
    for name, good, bad, failed, answered, unknown, *sums in COUNTED.rows(
        conn, ns_id=ns_id, id=id, since=since
    ):
        triples = batched(sums, 3)
        moments = {metric: Moments(*of) for metric, of in zip(VALUES, triples, strict=True)}
        arms[name] = ArmTally(good, bad, failed, answered, moments, unknown)
    return Tally(arms)


def due(conn: Connection, before: datetime, limit: int = 1000) -> list[tuple[int, UUID, Unit]]:
    """Conversations that began before a time and are not counted yet: (ns_id, experiment, it)."""
    rows = DUE.rows(conn, before=before, limit=limit)
    return [(ns_id, id, _unit(row)) for ns_id, id, *row in rows]


def arms(conn: Connection, ns_id: int, id: UUID) -> dict[str, Arm]:
    return {name: Arm(*counts) for name, *counts in ARMS.rows(conn, ns_id=ns_id, id=id)}


def aim(conn: Connection, one: StoredExperiment) -> Aim:
    """What its enhancement is for; without one, success."""
    found = enhancements.by_id(conn, [one.enhancement_id] if one.enhancement_id else [])
    return found[0].one.aim if found else "success"


def _of_row(row: Sequence[Any]) -> StoredExperiment:
    """Raises ConfigError: somebody has written something else into the table."""
    ns_id, namespace, pattern, definition, tally, *rest, told = row
    rest.append(Probation(**told | {"tally": Tally.from_json(told["tally"])}) if told else None)
    one = Experiment.of(definition)
    return StoredExperiment(ns_id, namespace, pattern, one, Tally.from_json(tally), *rest)


def _unit(row: Sequence[Any]) -> Unit:
    values = list(row)
    values[6] = None if values[6] is None else bool(values[6])
    return Unit(*values)
