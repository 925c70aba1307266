"""What becomes of experiments, and of what follows them: their enhancement, their transformation.

Each change is one of `experiments.life`, in one transaction with its audit event. Whoever starts one
by hand is told of what stands in the way: two experiments of one pattern would mix their effects.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import uuid_utils.compat

from llmproxy_core.enhancements import life as enhancement_life
from llmproxy_core.enhancements import trial
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.errors import ExperimentError, StoreError
from llmproxy_core.experiments import life
from llmproxy_core.experiments.experiment import GUARDS, Experiment, Guard
from llmproxy_core.experiments.tally import Tally
from llmproxy_core.experiments.verdict import Verdict
from llmproxy_core.store import enhancement_changes, promotion
from llmproxy_core.store.experiment_steps import step, tell
from llmproxy_core.store.values import clean, cleaned, json_text

type PgConnection = psycopg.Connection[Any]

ADD = """
INSERT INTO experiments (
    ns_id, id, name, pattern_id, enhancement_id, definition, status, tally, verdict, created_at,
    created_by
) VALUES (
    %(ns_id)s, %(id)s, %(name)s, %(pattern)s, %(enhancement)s, %(definition)s::text::jsonb,
    %(status)s, '{}', '{}', now(), %(actor)s
) ON CONFLICT DO NOTHING
"""
RIVAL = """
SELECT name FROM experiments WHERE ns_id = %s AND pattern_id = %s AND id <> %s
    AND status IN ('running', 'won') LIMIT 1
"""
WAITING = """
SELECT e.id FROM namespaces n JOIN enhancements e ON e.ns_id = n.ns_id
WHERE e.status = 'approved' ORDER BY e.decided_at
"""


def add(
    connection: PgConnection,
    ns_id: int,
    one: Experiment,
    actor: str,
    enhancement: UUID | None = None,
) -> None:
    """Store a draft. Raises StoreError: there is one of this name."""
    values = {
        "ns_id": ns_id,
        "id": UUID(one.id),
        "name": clean(one.name),
        "pattern": UUID(one.pattern) if one.pattern else None,
        "enhancement": enhancement,
        "definition": json_text(cleaned(one.to_json())),
        "status": one.status,
        "actor": clean(actor),
    }
    with connection.transaction():
        if not connection.execute(ADD, values).rowcount:
            raise StoreError(f"There is an experiment {one.name!r} already. Give it another name.")
        tell(connection, ns_id, one, actor, "experiment add", {"definition": one.to_json()})


def try_out(
    connection: PgConnection,
    enhancement: UUID,
    actor: str,
    *,
    name: str = "",
    share: float = 0.5,
    holdout: float = trial.HELD_OUT,
    counting: Sequence[str] = (),
    guards: tuple[Guard, ...] = GUARDS,
    min_effect: float = 0.05,
    auto: bool = False,
) -> Experiment:
    """Start the experiment of an enhancement that somebody has approved (`auto`: or nobody yet).

    Raises:
        EnhancementError: it may not begin from where it is.
        ExperimentError: another experiment of its pattern is running.
        ConfigError: the experiment cannot be, e.g. for its share.
    """
    with connection.transaction():
        ns_id, before = enhancement_changes.locked(connection, enhancement)
        id = str(uuid_utils.compat.uuid7())
        draft = trial.experiment(
            before, id, name or _named(before, id), share=share, holdout=holdout, counting=counting,
            guards=guards, min_effect=min_effect,
        )  # fmt: skip
        enhancement_changes.step(
            connection,
            enhancement,
            lambda one, at: enhancement_life.begin(one, at, actor, id, auto),
        )
        add(connection, ns_id, draft, actor, enhancement)
        return start(connection, UUID(id), actor)


def approve(
    connection: PgConnection,
    enhancement: UUID,
    actor: str,
    why: str = "",
    counting: Sequence[str] = (),
) -> Experiment | None:
    """A person wants it: its experiment starts at once. None: another one of the pattern is running,
    and it waits for that. Raises as `enhancement_changes.approve`."""
    with connection.transaction():
        enhancement_changes.approve(connection, enhancement, actor, why)
        try:
            with connection.transaction():
                return try_out(connection, enhancement, actor, counting=counting)
        except ExperimentError:
            return None  # `waiting` has it, for whoever starts experiments


def waiting(connection: PgConnection) -> list[UUID]:
    """Enhancements that are approved and have no experiment yet, the oldest first."""
    return [id for (id,) in connection.execute(WAITING)]


def start(connection: PgConnection, id: UUID, actor: str) -> Experiment:
    """Here as below: raises StoreError (there is none), ExperimentError (what is possible instead)."""

    def take(one: Experiment, at: float) -> Experiment:
        moved = life.started(one, at, actor)
        if one.pattern and (found := _rival(connection, one)):
            raise ExperimentError(
                f"Experiment {found!r} of the same pattern is running: stop it, or wait for it."
            )
        return moved

    return step(connection, id, take)


def stop(connection: PgConnection, id: UUID, actor: str, why: str) -> Experiment:
    """End one that runs; take back what was promoted, or has won and is not wanted."""

    def take(one: Experiment, at: float) -> Experiment:
        ended = life.stopped if one.status == "running" else life.rolled_back
        return ended(one, at, actor, why)

    return step(connection, id, take)


def promote(connection: PgConnection, id: UUID, actor: str, why: str = "") -> Experiment:
    """Everybody gets the winner, but for the holdout; it becomes a transformation."""
    why = why or "It has won."
    return step(connection, id, lambda one, at: life.promoted(one, at, actor, why))


def roll_back(connection: PgConnection, id: UUID, actor: str, why: str) -> Experiment:
    """Nothing is changed any more, also within conversations."""
    return step(connection, id, lambda one, at: life.rolled_back(one, at, actor, why))


def judge(
    connection: PgConnection,
    id: UUID,
    verdict: Verdict,
    tally: Tally,
    at: datetime | None = None,
) -> Experiment:
    """Keep what the outcomes say, and do what follows from it."""
    return step(
        connection,
        id,
        lambda one, seconds: life.judged(one, verdict, seconds),
        at=at,
        judged=(verdict, tally),
    )


def watch(
    connection: PgConnection,
    id: UUID,
    verdict: Verdict,
    tally: Tally,
    since: float,
    at: datetime | None = None,
) -> Experiment:
    """Keep what the outcomes `since` a time (seconds since 1970) say of what was promoted, beside
    the holdout, and take it back if it harms."""
    told = {"since": since, "tally": tally.to_json(), "verdict": asdict(verdict)}
    return step(
        connection,
        id,
        lambda one, seconds: life.watched(one, verdict, seconds),
        at=at,
        watched=told,
    )


def _rival(connection: PgConnection, one: Experiment) -> str | None:
    ns = connection.execute("SELECT ns_id FROM experiments WHERE id = %s", [UUID(one.id)])
    row = ns.fetchone()
    values = [row[0] if row else 0, UUID(one.pattern or ""), UUID(one.id)]
    found = connection.execute(RIVAL, values).fetchone()
    return found[0] if found else None


def _named(one: Enhancement, id: str) -> str:
    rule = one.source_engine.partition(":")[2] or one.source_engine
    return f"{one.type}-{promotion.fitting(rule[:32])}-{id[-6:]}"
