"""What becomes of an experiment that is promoted: a transformation, which goes when it is taken back."""

import re
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.store import transformation_changes
from llmproxy_core.store.transformations import OF_EXPERIMENT, checked, find, told, transformations

type PgConnection = psycopg.Connection[Any]

LONGEST_NAME = 63
UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
KINDS = {"system": "pattern.system", "tools": "pattern.tools"}
"""By which variable a pattern of a kind is asked for, if not by `pattern.id`."""
KIND = "SELECT kind FROM prompt_patterns WHERE ns_id = %s AND id = %s"


def become(connection: PgConnection, ns_id: int, one: Experiment) -> None:
    """The winner becomes a transformation. Raises ConfigError: it can be done nowhere."""
    winner = one.variant(one.promoted)
    if winner is None or not winner.operations:
        return
    actor = one.steps[-1].by
    transformation_changes.lock(connection)
    name = fitting(f"won-{one.name}")[:LONGEST_NAME]
    if find(connection, name) is not None:
        name = f"{name[: LONGEST_NAME - 9]}-{one.id.replace('-', '')[-8:]}"
    made = checked(
        {
            "name": name,
            "when": _when(connection, ns_id, one),
            "logic": [dict(operation) for operation in winner.operations],
        },
        f"experiment {one.name}",
    )
    transformation_changes.store(connection, made, f"{OF_EXPERIMENT}{one.id}", None, actor)
    facts = {"now": told(made), "experiment": one.id}
    transformation_changes.tell(connection, actor, "transformation add", name, facts)


def unbecome(connection: PgConnection, one: Experiment) -> None:
    transformation_changes.lock(connection)
    for made in transformations(connection):
        if made.experiment == one.id:
            transformation_changes.take_away(connection, made, one.steps[-1].by)


def fitting(text: str) -> str:
    """As a transformation may be called, but for its length."""
    return UNFIT.sub("-", text).strip("-")


def _when(connection: PgConnection, ns_id: int, one: Experiment) -> str:
    if one.pattern is None:
        return one.when or "true"
    found = connection.execute(KIND, [ns_id, UUID(one.pattern)]).fetchone()
    variable = KINDS.get(found[0] if found else "user", "pattern.id")
    asked = f'{variable} == "{one.pattern}"'
    return f"{asked} and ({one.when})" if one.when else asked
