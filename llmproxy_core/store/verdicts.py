"""What the signals of a call say of it together: which of them stand, and whether it was a success."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.learning_rows import PatternSum
from llmproxy_core.store.lesson_values import GOOD
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.success.rate import LEAST, verdict
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Verdict

COLUMNS = f"""
s.request_id, s.name, s.source, CASE WHEN s.verdict = {GOOD} THEN 'good' ELSE 'bad' END, s.weight,
s.why, s.at, s.told_by
"""
"""Of `signals`, as `Told` has them."""
OF_CALLS = Prepared(
    text(f"""
SELECT {COLUMNS}
FROM unnest(CAST(:ns_ids AS int4[]), CAST(:ids AS uuid[])) AS asked (ns_id, id)
JOIN signals s ON s.ns_id = asked.ns_id AND s.request_id = asked.id
    AND s.request_id BETWEEN :low AND :high
ORDER BY s.request_id, s.at
""")  # noqa: S608
)


class Told(NamedTuple):
    """A signal as it is stored."""

    request_id: UUID
    name: str
    source: str
    verdict: Verdict
    weight: float
    why: str
    at: datetime
    told_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a call. `verdict`: None: no signal that counts says anything. `bad`: those that do."""

    verdict: Verdict | None = None
    bad: frozenset[str] = frozenset()


def signals(
    conn: Connection, calls: Sequence[tuple[int, UUID]], *, standing: bool = True
) -> dict[UUID, list[Told]]:
    """Of each call (ns_id, id), the oldest first; `standing`: without those that were taken back."""
    if not calls:
        return {}
    ns_ids, ids = ([*column] for column in zip(*calls, strict=True))
    found: dict[UUID, list[Told]] = {}
    for row in OF_CALLS.rows(conn, ns_ids=ns_ids, ids=ids, low=min(ids), high=max(ids)):
        found.setdefault(row[0], []).append(Told._make(row))
    return {id: newest(told) for id, told in found.items()} if standing else found


def newest(told: Sequence[Told]) -> list[Told]:
    """Of a name, a source and a call that tells it the newest one, in the order of time."""
    if len(told) < 2:
        return [*told]
    latest = {
        (one.name, one.source, one.told_by): one for one in sorted(told, key=lambda one: one.at)
    }
    return sorted(latest.values(), key=lambda one: one.at)


def standing(
    told: Sequence[Told], counting: Collection[str] = COUNTED, least: float = LEAST
) -> Standing:
    """`counting`: names of the signals that count; `least`: the weight from which on they do."""
    found = [one for one in newest(told) if one.name in counting and one.weight >= least]
    if not found:
        return Standing()
    bad = frozenset(one.name for one in found if one.verdict == "bad")
    return Standing(verdict(found), bad)


def difference(into: PatternSum, before: Standing, after: Standing) -> bool:
    """What changes in the sums when a call is judged anew; False: nothing."""
    into.judged += (after.verdict is not None) - (before.verdict is not None)
    into.good += (after.verdict == "good") - (before.verdict == "good")
    for name in sorted(before.bad ^ after.bad):
        into.bad[name] = into.bad.get(name, 0) + (1 if name in after.bad else -1)
    return before != after
