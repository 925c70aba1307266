"""How long calls are kept: days per namespace; starred sessions survive.

Nothing is deleted row by row. A week in which nothing is left to keep is dropped; of one with
survivors a new partition is made that holds them, which then takes its place.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from llmproxy_core.errors import StoreError
from llmproxy_core.store import audit, leftovers, partitions, shortened
from llmproxy_core.store.rewriting import Condition, Rewriting, has_survivors, is_removable

type PgConnection = psycopg.Connection[Any]

DAY_MS = 86_400_000
SWEEPING = 0x6C6C6D05
FOREVER = 0

OWNER = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
WHERE oid = to_regclass('requests')::oid
"""
LOCK = "SELECT pg_try_advisory_lock(%s)"
UNLOCK = "SELECT pg_advisory_unlock(%s)"
NAMESPACES = "SELECT ns_id, name, retention_days FROM namespaces ORDER BY ns_id"
SET_DAYS = """
UPDATE namespaces SET retention_days = %s WHERE name = %s RETURNING ns_id
"""
BOUNDARY = r"""
SELECT substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([0-9a-f-]{36})''\)')::uuid
FROM pg_class WHERE oid = to_regclass('requests_before')::oid
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """`days`: None as `retention.days` in mitm.toml says; FOREVER; else a number."""

    ns_id: int
    namespace: str
    days: int | None

    def in_force(self, default: int) -> int:
        return default if self.days is None else self.days


@dataclass(frozen=True, slots=True)
class Week:
    """`suffix`: what its partitions are called after their tables. `end`: ms since 1970."""

    suffix: str
    end: int
    tables: tuple[str, ...]

    @property
    def name(self) -> str:
        if self.suffix == "_before":
            return f"all before {_date(self.end)}"
        return f"the week of {_date(self.end - partitions.WEEK_MS)}"


@dataclass(frozen=True, slots=True)
class Removed:
    """`requests`: how many were removed, by namespace. `whole`: nothing survived."""

    week: str
    requests: dict[int, int]
    whole: bool


def settings(connection: PgConnection) -> list[Kept]:
    return [Kept(*row) for row in connection.execute(NAMESPACES)]


def keep(connection: PgConnection, namespace: str, days: int | None, actor: str) -> None:
    """Set for how long; written to the audit.

    Raises:
        StoreError: there is no such namespace.
    """
    with connection.transaction():
        row = connection.execute(SET_DAYS, [days, namespace]).fetchone()
        if row is None:
            raise StoreError(f"There is no namespace {namespace!r}.")
        audit.append(connection, row[0], actor, "retention", namespace, {"days": days})


def sweep(connection: PgConnection, default_days: int, now: int | None = None) -> list[Removed]:
    """Remove what is due, in transactions of its own; `now`: ms since 1970.

    Does nothing where another worker is at it, or where the tables are somebody else's. What
    changed meanwhile is left for the next time.
    """
    owner = connection.execute(OWNER).fetchone()
    if owner != (True,) or connection.execute(LOCK, [SWEEPING]).fetchone() != (True,):
        return []
    try:
        now = time.time_ns() // 1_000_000 if now is None else now
        spaces = settings(connection)
        found = [
            _sweep_week(connection, week, spaces, default_days, now) for week in weeks(connection)
        ]
        left = weeks(connection)
        if left and left[0].suffix.startswith("_w"):
            shortened.drop(connection, int(left[0].suffix[2:]))
        for space in spaces:
            if days := space.in_force(default_days):
                leftovers.drop(connection, space.ns_id, kept_since(days, now))
        return [removed for removed in found if removed is not None]
    finally:
        connection.execute(UNLOCK, [SWEEPING])


def kept_since(days: int, now: int | None = None) -> int:
    """The begin of the first week that is not due: what is older goes; ms since 1970."""
    if days == FOREVER:
        return 0
    now = time.time_ns() // 1_000_000 if now is None else now
    return max(0, (now - days * DAY_MS) // partitions.WEEK_MS * partitions.WEEK_MS)


def weeks(connection: PgConnection) -> list[Week]:
    """Oldest first."""
    tables: dict[str, list[str]] = {}
    for part in partitions.sizes(connection):
        tables.setdefault(part.name.removeprefix(part.table), []).append(part.table)
    boundary = connection.execute(BOUNDARY).fetchone()
    ends = {
        suffix: (int(suffix[2:]) + 1) * partitions.WEEK_MS if suffix.startswith("_w")
        else boundary[0].int >> 80 if boundary else None
        for suffix in tables
    }  # fmt: skip
    found = [Week(suffix, end, tuple(tables[suffix])) for suffix, end in ends.items() if end]
    return sorted(found, key=lambda week: week.end)


def _sweep_week(
    connection: PgConnection, week: Week, spaces: Sequence[Kept], default: int, now: int
) -> Removed | None:
    due = {
        space.ns_id: days
        for space in spaces
        if (days := space.in_force(default)) and week.end <= now - days * DAY_MS
    }
    if not due:
        return None
    condition = Condition(week.suffix, week.tables, tuple(due))
    survivors = has_survivors(connection, condition)
    if survivors and not is_removable(connection, condition):
        return None
    rewriting = Rewriting(connection, condition)
    counts = rewriting.removable_requests()
    if survivors:
        rewriting.copy_survivors()

    def tell() -> None:
        for ns_id, days in due.items():
            if number := counts.get(ns_id):
                detail = {"requests": number, "days": days, "survivors": survivors}
                audit.append(connection, ns_id, "worker", "retention drop", week.name, dict(detail))

    if not (rewriting.replace(tell) if survivors else rewriting.drop(tell)):
        return None
    return Removed(week.name, counts, not survivors) if counts else None


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()
