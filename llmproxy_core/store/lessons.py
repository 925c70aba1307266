"""The writer's part of what is learnt: patterns and their calls, signals, what proxies applied.

Statements go in the order of the keys, so that two workers cannot deadlock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import lesson_statements as statements
from llmproxy_core.store import lesson_values as values_of
from llmproxy_core.store.learning_rows import NEWS, AppliedRow, Lessons, PatternSum
from llmproxy_core.store.reopening import reopen
from llmproxy_core.store.values import hash_id

type PgConnection = psycopg.Connection[Any]

UNCHANGED = frozenset({"control", "holdout"})
"""Arms in which nothing is done."""
FEEDBACK = "feedback"
"""The signal by which a conversation that is counted may be counted anew."""
MOST_MERGES = 32
"""Of merges of merges in one batch."""
NO_PIECES: Mapping[int, Any] = {6: "[]", 8: "{}"}
NO_TEXT: Mapping[int, Any] = {3: hash_id(bytes(16)), 4: ""}
"""Columns that rows of patterns and versions leave out, and what stands there then."""
MOST_TOLD = 50
"""Patterns that a NOTIFY names."""


def write(connection: PgConnection, lessons: Lessons) -> None:
    """All of it but what is learnt (`take`) and the sums, see `pattern_days`."""
    _apply(connection, lessons.applied)
    _put(
        connection,
        statements.PUT_PATTERNS,
        _by_key(map(values_of.pattern, lessons.patterns), 2, NO_PIECES),
    )
    if merged := sorted({row.ns_id for row in lessons.patterns if row.merged_into}):
        flatten(connection, merged)
    _put(
        connection,
        statements.PUT_VERSIONS,
        _by_key(map(values_of.version, lessons.versions), 3, NO_TEXT),
    )
    _put(connection, statements.ADD_HISTORY, _by_key(map(values_of.history, lessons.history), 2))
    _put(connection, statements.ADD_CALLS, _by_key(map(values_of.call, lessons.calls), 3))
    _put(
        connection,
        statements.ADD_SIGNALS,
        sorted(map(values_of.signal, lessons.signals), key=lambda row: row[:4]),
    )
    if told := [(row.ns_id, row.request_id) for row in lessons.signals if row.name == FEEDBACK]:
        reopen(connection, told)
    _put(connection, statements.PUT_UNITS, _by_key(map(values_of.unit, lessons.units), 3))
    _put(connection, statements.ADD_UNLEARNT, _by_key(map(values_of.unlearnt, lessons.unlearnt), 2))


def take(connection: PgConnection, lessons: Lessons) -> list[PatternSum]:
    """Strike out what is learnt; the sums that it adds."""
    keys = sorted(set(lessons.learnt))
    if not keys:
        return lessons.sums
    columns = [list(column) for column in zip(*keys, strict=True)]
    struck = {id for (id,) in connection.execute(statements.LEARNT, columns)}
    gone = {id for _, id in keys} - struck
    return [row for row in lessons.sums if row.call not in gone]


def singles(lessons: Lessons) -> Iterator[tuple[str, int, UUID | None, Lessons]]:
    """Of each row that `write` takes: what it is, its namespace, its call, and it alone."""
    for name in ("applied", "patterns", "versions", "history", "calls", "signals", "units"):
        for row in getattr(lessons, name):
            call = getattr(row, "request_id", None)
            yield name, row.ns_id, call, Lessons(**{name: [row]})
    if lessons.unlearnt:
        yield "unlearnt", lessons.unlearnt[0].ns_id, None, Lessons(unlearnt=lessons.unlearnt)


def told(lessons: Lessons) -> list[UUID]:
    """The patterns and experiments of which there is news; NEWS alone if there are too many, or only
    of calls."""
    found = {row.id for row in lessons.patterns} | {row.pattern_id for row in lessons.sums}
    found |= {row.experiment_id for row in lessons.units}
    of_calls = bool(lessons.signals or lessons.applied or lessons.calls)
    return sorted(found) if len(found) <= MOST_TOLD and (found or not of_calls) else [NEWS]


def flatten(connection: PgConnection, ns_ids: Sequence[int]) -> None:
    """What was merged into a pattern goes with it where that is merged itself."""
    for _ in range(MOST_MERGES):
        if not connection.execute(statements.FLATTEN, [list(ns_ids)]).rowcount:
            return


def _apply(connection: PgConnection, rows: Sequence[AppliedRow]) -> None:
    """With what comes of it: how often a transformation was used, which enhancements were."""
    if not rows:
        return
    values = _by_key(map(values_of.applied, rows), 4)
    columns = [list(column) for column in zip(*values, strict=True)]
    done = [one for one in connection.execute(statements.ADD_APPLIED, columns) if one[4] is None]
    used: dict[str, tuple[int, datetime]] = {}
    for id, kind, name, _, _ in done:
        if kind == "transformation":
            times, at = used.get(name, (0, _begun(id)))
            used[name] = times + 1, max(at, _begun(id))
    if used:
        told = [(name, *used[name]) for name in sorted(used)]
        connection.execute(statements.USED, [list(column) for column in zip(*told, strict=True)])
    tried = {name for _, kind, name, arm, _ in done if kind != "transformation" and _changes(arm)}
    if tried := {name for name in tried if _is_id(name)}:
        ns_ids = sorted({row.ns_id for row in rows})
        connection.execute(statements.TRIED, [ns_ids, sorted(tried)])


def _changes(arm: str | None) -> bool:
    return arm is not None and arm not in UNCHANGED


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _begun(id: UUID) -> datetime:
    """When a call began, by its uuidv7."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


def _put(connection: PgConnection, sql: str, values: Sequence[tuple[Any, ...]]) -> None:
    if values:
        connection.execute(sql, [list(column) for column in zip(*values, strict=True)])


def _by_key(
    rows: Iterable[tuple[Any, ...]], columns: int, left_out: Mapping[int, Any] | None = None
) -> list[tuple[Any, ...]]:
    """In order; of one key the last row, since a statement may not meet a row twice.

    `left_out`: what stands in a column of a row that leaves it as it was before.
    """
    latest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        before = latest.get(row[:columns])
        if left_out and before is not None:
            row = tuple(
                before[n] if n in left_out and value == left_out[n] else value
                for n, value in enumerate(row)
            )
        latest[row[:columns]] = row
    return [latest[key] for key in sorted(latest)]
