"""The steps of an experiment's life in the store, with what follows: its enhancement, its rule."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.enhancements import trial
from llmproxy_core.errors import StoreError
from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.experiments.tally import Tally
from llmproxy_core.experiments.verdict import Verdict
from llmproxy_core.model import Json
from llmproxy_core.store import audit, enhancement_changes, notify, promotion, statements
from llmproxy_core.store.notify import Change
from llmproxy_core.store.values import clean_or_none, cleaned, json_text

type PgConnection = psycopg.Connection[Any]
type Step = Callable[[Experiment, float], Experiment]

VALUES = """
definition = %(definition)s::text::jsonb, status = %(status)s, tally = %(tally)s::text::jsonb,
verdict = %(verdict)s::text::jsonb, probation = %(probation)s::text::jsonb,
judged_at = %(judged_at)s, started_at = %(started_at)s, ended_at = %(ended_at)s, ended_by = %(ended_by)s, ended_why = %(ended_why)s
"""
LOCKED = """
SELECT ns_id, definition, tally, verdict, probation, judged_at, enhancement_id FROM experiments
WHERE id = %s FOR UPDATE
"""
SET = f"UPDATE experiments SET {VALUES} WHERE ns_id = %(ns_id)s AND id = %(id)s"  # noqa: S608


def step(
    connection: PgConnection,
    id: UUID,
    take: Step,
    *,
    at: datetime | None = None,
    judged: tuple[Verdict, Tally] | None = None,
    watched: dict[str, Any] | None = None,
) -> Experiment:
    """Take any step of its life, and do what follows. Nothing is told where none is taken."""
    at = at or datetime.now(UTC)
    with connection.transaction():
        row = connection.execute(LOCKED, [id]).fetchone()
        if row is None:
            raise StoreError(f"There is no experiment {id}. `llmproxy experiments list` has all.")
        ns_id, definition, tally, verdict, probation, judged_at, enhancement = row
        before = Experiment.of(definition)
        after = take(before, at.timestamp())
        if judged is not None:
            verdict, tally, judged_at = asdict(judged[0]), judged[1].to_json(), at
        elif watched is not None:
            probation = watched
        elif after == before:
            return before
        known = {"tally": tally, "verdict": verdict, "probation": probation, "judged_at": judged_at}
        connection.execute(SET, _values(ns_id, after, known))
        if after != before:
            counted = Tally.from_json(tally if watched is None else watched["tally"])
            _follow(connection, ns_id, before, after, counted, enhancement, at)
        else:
            _notify(connection, after)
    return after


def _follow(
    connection: PgConnection,
    ns_id: int,
    before: Experiment,
    after: Experiment,
    tally: Tally,
    enhancement: UUID | None,
    at: datetime,
) -> None:
    if after.status == "promoted":
        promotion.become(connection, ns_id, after)
    elif before.status == "promoted":
        promotion.unbecome(connection, after)
    if enhancement is not None:
        enhancement_changes.step(
            connection, enhancement, lambda one, at: trial.followed(one, after, tally, at), at
        )
    status = before.status
    for taken in after.steps[len(before.steps) :]:
        facts: dict[str, Json] = {"before": status, "now": taken.status, "why": taken.why}
        status = taken.status
        action = f"experiment {taken.status.replace('_', ' ')}"
        tell(connection, ns_id, after, taken.by, action, facts)


def _values(ns_id: int, one: Experiment, known: dict[str, Any]) -> dict[str, Any]:
    last = one.steps[-1] if one.steps else None
    ended = last if last and one.status not in ("draft", "running") else None
    began = next((step.at for step in one.steps if step.status == "running"), None)
    return {
        "ns_id": ns_id,
        "id": UUID(one.id),
        "definition": json_text(cleaned(one.to_json())),
        "status": one.status,
        "tally": json_text(known["tally"]),
        "verdict": json_text(cleaned(known["verdict"])),
        "probation": json_text(cleaned(known["probation"])) if known["probation"] else None,
        "judged_at": known["judged_at"],
        "started_at": datetime.fromtimestamp(began, UTC) if began is not None else None,
        "ended_at": datetime.fromtimestamp(ended.at, UTC) if ended else None,
        "ended_by": clean_or_none(ended.by if ended else None),
        "ended_why": clean_or_none(ended.why if ended else None),
    }


def _notify(connection: PgConnection, one: Experiment) -> None:
    told = notify.encode(Change(learning=[UUID(one.id)]))
    connection.execute(statements.NOTIFY, [notify.CHANNEL, told])


def tell(
    connection: PgConnection,
    ns_id: int,
    one: Experiment,
    actor: str,
    action: str,
    facts: dict[str, Json],
) -> None:
    _notify(connection, one)
    audit.append(connection, ns_id, actor, action, one.name, {"id": one.id, **facts})
