"""Every change of what is learnt is one row of the audit, whoever makes it: who, what, before, now."""

import json
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.cli import enhancements, experiments, patterns, transform
from llmproxy_core.experiments.tally import Outcome, Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.home import actor
from llmproxy_core.store import (
    audit,
    experiment_changes,
    file_transformations,
    transformations,
)
from llmproxy_core.store import experiments as stored
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from tests.unit.cli.command import Command
from tests.unit.cli.test_learning import CLAMP, call, llmproxy, pattern, suggested, told

__all__ = ["call", "llmproxy", "pattern", "suggested"]
pytestmark = [pytest.mark.system, pytest.mark.usefixtures("pattern", "suggested")]

READING = {
    ("patterns", "list"), ("patterns", "show"), ("patterns", "mine"), ("transform", "list"),
    ("transform", "show"), ("transform", "test"), ("enhancements", "list"),
    ("enhancements", "show"), ("experiments", "list"), ("experiments", "show"),
}  # fmt: skip
CHANGING: list[tuple[tuple[str, ...], list[str]]] = [
    (("patterns", "rename", "mail", "letters"), ["pattern rename"]),
    (("transform", "add", "short", "--op", CLAMP), ["transformation add"]),
    (("transform", "set", "short", "--order", "5"), ["transformation change"]),
    (("transform", "off", "short"), ["transformation off"]),
    (("transform", "on", "short"), ["transformation on"]),
    (("transform", "remove", "short"), ["transformation remove"]),
    (("enhancements", "ask", "letters", "--wait", "0"), ["advisor ask"]),
    (("enhancements", "reject", "ID", "--why", "no"), ["enhancement rejected"]),
    (("enhancements", "reconsider", "ID"), ["enhancement candidate"]),
    (
        ("enhancements", "approve", "ID"),
        [
            "enhancement approved", "enhancement experimenting", "experiment add",
            "experiment running",
        ],
    ),
    (
        ("experiments", "stop", "EXPERIMENT"),
        ["enhancement rolled_back", "experiment stopped"],
    ),
    (("patterns", "merge", "letters", "classify this ticket"), ["pattern merge"]),
    (("feedback", "CALL", "down", "--why", "odd"), ["feedback"]),
]  # fmt: skip
ELSEWHERE = {("experiments", "start"), ("experiments", "promote")}
"""Below."""


def rows(database: Database) -> list[audit.AuditEvent]:
    """The oldest first."""
    with database.raw() as connection:
        return [event for _, event in audit.newest(connection)][::-1]


def has_before_and_now(event: audit.AuditEvent) -> bool:
    facts = json.loads(event.detail)
    made = event.action.endswith((" add", " ask"))
    gone = event.action.endswith(" remove")
    return (made or "before" in facts) and (gone or made or "now" in facts) and bool(event.target)


def is_own(event: audit.AuditEvent) -> bool:
    """What follows for an enhancement is told as its experiment's."""
    return not event.actor.startswith("experiment:")


def test_every_command_is_known_to_change_or_to_read() -> None:
    apps = {
        "patterns": patterns.app,
        "transform": transform.app,
        "enhancements": enhancements.app,
        "experiments": experiments.app,
    }
    known = {
        (group, str(command.name)) for group, app in apps.items()
        for command in app.registered_commands
    }  # fmt: skip
    changing = {arguments[:2] for arguments, _ in CHANGING if arguments[0] in apps}
    assert known == READING | changing | ELSEWHERE


def test_each_change_by_a_person_is_told_with_what_was_before(
    llmproxy: Command, database: Database, call: RequestRow
) -> None:
    (llmproxy.home / "mitm.toml").write_text("[advisor]\nenabled = true\n")
    (one,) = told(llmproxy, "enhancements", "list")
    ids = {"ID": one["id"], "CALL": call.id.hex}
    for arguments, actions in CHANGING:
        if "EXPERIMENT" in arguments:
            ids["EXPERIMENT"] = told(llmproxy, "experiments", "list")[0]["id"]
        seen = len(rows(database))
        told(llmproxy, *(ids.get(one, one) for one in arguments))
        added = rows(database)[seen:]
        assert sorted(event.action for event in added) == sorted(actions), arguments
        assert {event.actor for event in added if is_own(event)} == {actor()}, arguments
        assert all(map(has_before_and_now, added)), [event.detail for event in added]
    with database.raw() as connection:
        assert [one.broken_at for one in audit.verify(connection)] == [None]


def test_what_changes_nothing_is_not_told(llmproxy: Command, database: Database) -> None:
    told(llmproxy, "transform", "add", "short", "--op", CLAMP)
    seen = len(rows(database))
    told(llmproxy, "transform", "on", "short")
    told(llmproxy, "patterns", "rename", "mail", "mail")
    assert len(rows(database)) == seen


@pytest.mark.parametrize(
    ("good", "ended"),
    [(180, "won"), (10, "harmful")],
)
def test_what_the_worker_decides_is_told_as_its_own(
    llmproxy: Command, database: Database, good: int, ended: str
) -> None:
    (one,) = told(llmproxy, "enhancements", "list")
    with database.raw() as connection:
        begun = experiment_changes.try_out(connection, UUID(one["id"]), "worker", auto=True)
    seen = rows(database)
    auto = [(event.actor, event.action) for event in seen[-3:]]
    assert auto == [
        ("worker", "enhancement experimenting"),
        ("worker", "experiment add"),
        ("worker", "experiment running"),
    ]
    _judge(database, UUID(begun.id), good)
    decided = rows(database)[len(seen) :]
    assert f"experiment {ended}" in [event.action for event in decided]
    assert actor() not in {event.actor for event in decided}
    assert all(map(has_before_and_now, decided)), [event.detail for event in decided]
    if ended == "won":
        _promote_and_take_back(llmproxy, database, begun.id)


def _promote_and_take_back(llmproxy: Command, database: Database, id: str) -> None:
    seen = len(rows(database))
    told(llmproxy, "experiments", "promote", id)
    promoted = {event.action: event for event in rows(database)[seen:]}
    assert promoted.keys() == {
        "transformation add", "enhancement promoted", "experiment promoted",
    }  # fmt: skip
    assert json.loads(promoted["transformation add"].detail)["experiment"] == id
    seen += 3
    told(llmproxy, "experiments", "stop", id)
    back = {event.action: event for event in rows(database)[seen:]}
    assert back.keys() == {
        "transformation remove", "enhancement rolled_back", "experiment rolled back",
    }  # fmt: skip
    assert {event.actor for event in back.values() if is_own(event)} == {actor()}


def _judge(database: Database, id: UUID, good: int) -> None:
    tally = Tally.of(
        Outcome(number.to_bytes(16), arm, good=number % 200 < successes)
        for arm, successes, start in (("control", 100, 0), ("enhanced", good, 200))
        for number in range(start, start + 200)
    )
    with database.connect() as connection:
        (one,) = stored.by_id(connection, [id])
    with database.raw() as connection:
        experiment_changes.judge(connection, id, Judge(one.one).verdict(tally), tally)


def test_what_a_file_changes_is_told_once(database: Database) -> None:
    logic: list[dict[str, Any]] = [{"op": "append_system", "text": "Be brief."}]
    seen = len(rows(database))
    with database.raw() as connection:
        connection.autocommit = True
        for text in ("Be brief.", "Be brief.", "Be kind."):
            logic[0]["text"] = text
            one = transformations.checked({"name": "filed", "logic": logic})
            file_transformations.bring(connection, "home", [one])
        file_transformations.bring(connection, "home", [])
    added = rows(database)[seen:]
    assert [(event.actor, event.target) for event in added] == [("worker", "filed")] * 3
    facts = [json.loads(event.detail) for event in added]
    assert [("before" in each, each["now"] is not None) for each in facts] == [
        (False, True), (True, True), (True, False),
    ]  # fmt: skip
