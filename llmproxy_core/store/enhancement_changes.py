"""What becomes of suggestions. Each change is one of `enhancements.life`, and an audit event.

`at`, everywhere, is the time of the change; nothing is changed where a step may not be taken.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.enhancements import life, record
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.errors import StoreError
from llmproxy_core.model import Json
from llmproxy_core.store import audit, notify, statements
from llmproxy_core.store.enhancements import FIELDS, of_values
from llmproxy_core.store.notify import Change
from llmproxy_core.store.values import clean, clean_all, cleaned, json_text

type PgConnection = psycopg.Connection[Any]
type Step = Callable[[Enhancement, datetime], Enhancement]

ADD = """
INSERT INTO enhancements (
    ns_id, id, pattern_id, type, aim, edit, digest, wires, confidence, reasoning, source_engine,
    saving_usd_per_day, status, was_applied, effectiveness_score, evidence, history, created_at,
    decided_by, decided_why, decided_at, experiment_id
) VALUES (
    %(ns_id)s, %(id)s, %(pattern_id)s, %(type)s, %(aim)s, %(edit)s::text::jsonb, %(digest)s,
    %(wires)s, %(confidence)s, %(reasoning)s, %(source_engine)s, %(saving_usd_per_day)s,
    %(status)s, %(was_applied)s, %(effectiveness_score)s, %(evidence)s::text::jsonb,
    %(history)s::text::jsonb, %(created_at)s, %(decided_by)s, %(decided_why)s, %(decided_at)s,
    %(experiment_id)s
) ON CONFLICT DO NOTHING
"""
LOCKED = f"SELECT ns_id, {FIELDS} FROM enhancements WHERE id = %s FOR UPDATE"  # noqa: S608
SET = """
UPDATE enhancements SET status = %(status)s, was_applied = was_applied OR %(was_applied)s,
    effectiveness_score = %(effectiveness_score)s, history = %(history)s::text::jsonb,
    decided_by = %(decided_by)s, decided_why = %(decided_why)s, decided_at = %(decided_at)s,
    experiment_id = %(experiment_id)s
WHERE ns_id = %(ns_id)s AND id = %(id)s
"""
ADVISED = """
INSERT INTO advised (ns_id, pattern_id, evidence_hash, at, said) VALUES (%s, %s, %s, now(), %s)
ON CONFLICT (ns_id, pattern_id, evidence_hash) DO UPDATE SET at = excluded.at, said = excluded.said
"""


def add(
    connection: PgConnection, ns_id: int, one: Enhancement, evidence: dict[str, Json] | None = None
) -> bool:
    """Store a suggestion; False if the pattern has had the same edit. `evidence`: for people."""
    values = _values(ns_id, one) | {
        "pattern_id": UUID(one.pattern_id),
        "type": one.type,
        "aim": one.aim,
        "edit": json_text([dict(operation) for operation in one.edit]),
        "digest": UUID(one.digest),
        "wires": clean_all(one.wires),
        "confidence": one.confidence,
        "reasoning": clean(one.reasoning),
        "source_engine": clean(one.source_engine),
        "saving_usd_per_day": one.saving_usd_per_day,
        "evidence": json_text(evidence or {}),
        "created_at": one.history[0].at,
    }
    with connection.transaction():
        if not connection.execute(ADD, values).rowcount:
            return False
        facts: dict[str, Json] = {"pattern": one.pattern_id, "edit": [dict(o) for o in one.edit]}
        _tell(connection, ns_id, one, "enhancement suggested", facts)
    return True


def note_asked(
    connection: PgConnection, ns_id: int, pattern: UUID, hash: str, said: str = ""
) -> None:
    """The advisor was asked, and this came of it: it is not asked about the same again."""
    connection.execute(ADVISED, [ns_id, pattern, UUID(hash), clean(said)])


def approve(connection: PgConnection, id: UUID, actor: str, why: str = "") -> Enhancement:
    """A person wants it to be tried: its experiment starts (`experiment_changes.try_out`).

    Here as below: raises StoreError (there is none) and EnhancementError (what is possible instead).
    """
    return step(connection, id, lambda one, at: life.approve(one, at, actor, why))


def reject(connection: PgConnection, id: UUID, actor: str, why: str) -> Enhancement:
    """A person does not want it. The advisor is told why."""
    return step(connection, id, lambda one, at: life.reject(one, at, actor, why))


def reconsider(connection: PgConnection, id: UUID, actor: str, why: str) -> Enhancement:
    """A person wants to think about it again."""
    return step(connection, id, lambda one, at: life.reconsider(one, at, actor, why))


def step(connection: PgConnection, id: UUID, take: Step, at: datetime | None = None) -> Enhancement:
    """Take any step of its life; nothing is stored where `take` gives the same enhancement."""
    with connection.transaction():
        ns_id, before = locked(connection, id)
        after = take(before, at or datetime.now(UTC))
        if after != before:
            connection.execute(SET, _values(ns_id, after))
            change = after.history[-1]
            facts: dict[str, Json] = {"before": before.status, "now": after.status}
            facts["why"] = change.why
            _tell(connection, ns_id, after, f"enhancement {after.status}", facts)
    return after


def locked(connection: PgConnection, id: UUID) -> tuple[int, Enhancement]:
    """An enhancement with its namespace, which nobody else changes until the transaction ends.

    Raises StoreError: there is none.
    """
    row = connection.execute(LOCKED, [id]).fetchone()
    if row is None:
        raise StoreError(f"There is no enhancement {id}. `llmproxy enhancements list` has all.")
    return row[0], of_values(row[1:])


def _values(ns_id: int, one: Enhancement) -> dict[str, Any]:
    """What changes in its life."""
    last = one.history[-1]
    return {
        "ns_id": ns_id,
        "id": UUID(one.id),
        "status": one.status,
        "was_applied": one.was_applied,
        "effectiveness_score": one.effectiveness_score,
        "history": json_text(cleaned(record.to_json(one)["history"])),
        "decided_by": clean(last.who),
        "decided_why": clean(last.why),
        "decided_at": last.at,
        "experiment_id": UUID(one.experiment_id) if one.experiment_id else None,
    }


def _tell(
    connection: PgConnection, ns_id: int, one: Enhancement, action: str, facts: dict[str, Json]
) -> None:
    told = notify.encode(Change(learning=[UUID(one.id)]))
    connection.execute(statements.NOTIFY, [notify.CHANNEL, told])
    audit.append(connection, ns_id, one.history[-1].who, action, one.id, facts)
