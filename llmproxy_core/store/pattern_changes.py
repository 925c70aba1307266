"""What people do to patterns: name them, merge them, want the advisor to be asked about them.

The worker hears of it (`changed`, `wanted`) and goes on with what people have said.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import uuid_utils.compat

from llmproxy_core.errors import StoreError
from llmproxy_core.model import Json
from llmproxy_core.store import audit, lessons, notify, statements
from llmproxy_core.store.notify import Change
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]

LONGEST_NAME = 120

LOCKED = """
SELECT name, kind, merged_into FROM prompt_patterns WHERE ns_id = %s AND id = %s FOR UPDATE
"""
TAKEN = """
SELECT 1 FROM prompt_patterns
WHERE ns_id = %s AND kind = %s AND name = %s AND id <> %s AND merged_into IS NULL
"""
RENAME = """
UPDATE prompt_patterns SET name = %s, named_by = %s, changed_at = clock_timestamp()
WHERE ns_id = %s AND id = %s
"""
MERGE = """
UPDATE prompt_patterns SET merged_into = %s, changed_at = clock_timestamp()
WHERE ns_id = %s AND id = %s
"""
BUSY = """
SELECT name FROM experiments WHERE ns_id = %s AND pattern_id = %s
    AND status IN ('running', 'won', 'promoted') LIMIT 1
"""
WANT = """
UPDATE prompt_patterns SET wanted_at = clock_timestamp(), wanted_by = %s
WHERE ns_id = %s AND id = %s
"""
ASKED = "UPDATE prompt_patterns SET wanted_at = NULL, wanted_by = NULL WHERE ns_id = %s AND id = %s"
WANTED = """
SELECT p.ns_id, p.id, p.wanted_by FROM namespaces n JOIN prompt_patterns p ON p.ns_id = n.ns_id
WHERE p.wanted_at IS NOT NULL ORDER BY p.wanted_at
"""
CHANGED = """
SELECT p.ns_id, p.id, p.kind, p.name, p.named_by, p.merged_into, p.changed_at
FROM namespaces n JOIN prompt_patterns p ON p.ns_id = n.ns_id
WHERE p.changed_at > %s ORDER BY p.changed_at
"""
ADVISED = """
SELECT said FROM advised WHERE ns_id = %s AND pattern_id = %s AND at >= %s ORDER BY at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """A pattern that a person has named (`named_by`) or merged, as it is now."""

    ns_id: int
    id: UUID
    kind: str
    name: str
    named_by: str | None
    merged_into: UUID | None
    changed_at: datetime


def rename(connection: PgConnection, ns_id: int, id: UUID, name: str, actor: str) -> bool:
    """Give it a name that stays; False if it has it already.

    Raises:
        StoreError: there is no such pattern, or another one of its kind is called so.
    """
    name, actor = clean(" ".join(name.split())), clean(actor)
    if not name or len(name) > LONGEST_NAME:
        raise StoreError(f"A name has 1 to {LONGEST_NAME} characters.")
    with connection.transaction():
        before, kind, _ = _locked(connection, ns_id, id)
        if before == name:
            return False
        if connection.execute(TAKEN, [ns_id, kind, name, id]).fetchone():
            raise StoreError(f"Another pattern is called {name!r}. Names tell patterns apart.")
        connection.execute(RENAME, [name, actor, ns_id, id])
        _record(connection, ns_id, id, "renamed", None, f"was {before!r}", actor)
        _tell(connection, ns_id, id, actor, "pattern rename", {"before": before, "now": name})
    return True


def merge(connection: PgConnection, ns_id: int, id: UUID, into: UUID, actor: str) -> None:
    """Its calls, those that come and those that were, count for another pattern from now on.

    Raises:
        StoreError: there is no such pattern, they are of different kinds, it was merged already, or
            an experiment runs for it.
    """
    actor = clean(actor)
    with connection.transaction():
        keys = sorted([id, into])  # in the same order, whoever merges
        found = {key: _locked(connection, ns_id, key) for key in keys}
        (name, kind, gone), (heir, other_kind, heir_gone) = found[id], found[into]
        if id == into or kind != other_kind:
            raise StoreError(f"{name!r} and {heir!r} cannot be merged: two of a kind can be.")
        if gone is not None or heir_gone is not None:
            raise StoreError(f"{name if gone else heir!r} was merged before.")
        if busy := connection.execute(BUSY, [ns_id, id]).fetchone():
            raise StoreError(f"Experiment {busy[0]!r} is about {name!r}: end it first.")
        connection.execute(MERGE, [into, ns_id, id])
        lessons.flatten(connection, [ns_id])
        _record(connection, ns_id, id, "merged", into, f"into {heir!r}", actor)
        facts: dict[str, Json] = {"before": name, "now": heir, "into": str(into)}
        _tell(connection, ns_id, id, actor, "pattern merge", facts)


def want_advice(connection: PgConnection, ns_id: int, id: UUID, actor: str) -> None:
    """Let a worker ask the advisor about it, though it would not do so by itself.

    Raises StoreError: there is no such pattern.
    """
    with connection.transaction():
        _locked(connection, ns_id, id)
        connection.execute(WANT, [clean(actor), ns_id, id])
        _tell(connection, ns_id, id, actor, "advisor ask", {})


def wanted(connection: PgConnection) -> list[tuple[int, UUID, str]]:
    """Patterns that somebody wants the advisor to be asked about: (ns_id, id, who)."""
    return [(ns_id, id, who or "") for ns_id, id, who in connection.execute(WANTED)]


def was_asked(connection: PgConnection, ns_id: int, id: UUID) -> None:
    """The wish is fulfilled, or cannot be; `enhancement_changes.note_asked` tells what came of it."""
    connection.execute(ASKED, [ns_id, id])


def advice_since(connection: PgConnection, ns_id: int, id: UUID, at: datetime) -> str | None:
    """What came of asking about it since then; None: nothing yet."""
    row = connection.execute(ADVISED, [ns_id, id, at]).fetchone()
    return row[0] if row else None


def changed(connection: PgConnection, since: datetime) -> list[Changed]:
    """What people have changed after a time, in order."""
    return [Changed(*row) for row in connection.execute(CHANGED, [since])]


def _locked(connection: PgConnection, ns_id: int, id: UUID) -> tuple[str, str, UUID | None]:
    row = connection.execute(LOCKED, [ns_id, id]).fetchone()
    if row is None:
        raise StoreError(f"There is no pattern {id}. `llmproxy patterns list` has all.")
    return row[0], row[1], row[2]


def _record(
    connection: PgConnection,
    ns_id: int,
    id: UUID,
    what: str,
    other: UUID | None,
    why: str,
    actor: str,
) -> None:
    connection.execute(
        "INSERT INTO pattern_history (ns_id, id, at, pattern_id, what, other, why, actor)"
        " VALUES (%s, %s, now(), %s, %s, %s, %s, %s)",
        [ns_id, uuid_utils.compat.uuid7(), id, what, other, clean(why), actor],
    )


def _tell(
    connection: PgConnection, ns_id: int, id: UUID, actor: str, action: str, facts: dict[str, Json]
) -> None:
    told = notify.encode(Change(learning=[id]))
    connection.execute(statements.NOTIFY, [notify.CHANNEL, told])
    audit.append(connection, ns_id, actor, action, str(id), facts)
