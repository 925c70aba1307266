"""`patterns`, `transform`, `enhancements`, `experiments` and `feedback` on a real database."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.experiments import probation
from llmproxy_core.experiments.tally import ArmTally, Outcome, Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.store import audit, enhancement_changes, experiment_changes, experiments
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons, PatternRow
from llmproxy_core.store.writer import Writer
from tests.store.flows import HASH, a_request, a_response
from tests.store.lessons import (
    a_change,
    a_pattern,
    a_signal,
    a_sum,
    a_unit,
    a_version,
    an_enhancement,
    an_experiment,
    of_pattern,
)
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system

FILE = """
[[transformations]]
name = "written"
logic = [{op = "append_system", text = "Be kind."}]
"""
BODY = b'{"model":"gpt-4o","max_tokens":5000,"messages":[{"role":"user","content":"Hello"}]}'
CLAMP = '{op = "clamp", parameter = "max_tokens", max = 1000}'


@pytest.fixture
def llmproxy(tmp_path: Path, database: Database) -> Command:
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def call() -> RequestRow:
    return a_request(body=BODY, body_bytes=len(BODY))


@pytest.fixture
def pattern(database: Database, call: RequestRow) -> PatternRow:
    """With a call that succeeded, in a store of its own."""
    pattern = a_pattern(last_seen=call.started_at)
    system = a_pattern(kind="system", name="triage rules")
    writer = Writer(database)
    writer.write(
        Batch(
            requests=[call],
            responses=[a_response(call)],
            lessons=Lessons(
                patterns=[pattern, system, a_pattern(name="mail")],
                versions=[a_version(system)],
                calls=[of_pattern(call, pattern)],
                signals=[a_signal(call)],
                sums=[a_sum(pattern, call)],
            ),
        )
    )
    writer.close()
    return pattern


@pytest.fixture
def suggested(database: Database, pattern: PatternRow) -> Enhancement:
    one = an_enhancement(pattern.id, wires=())
    with database.raw() as connection:
        enhancement_changes.add(connection, 1, one)
    return one


def succeed(llmproxy: Command, *arguments: str) -> str:
    ended = llmproxy(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def told(llmproxy: Command, *arguments: str) -> Any:
    return json.loads(succeed(llmproxy, *arguments, "--json"))


def audited(database: Database) -> Iterator[str]:
    """Newest first."""
    with database.raw() as connection:
        yield from (one.action for _, one in audit.newest(connection))


def test_patterns_are_listed_shown_and_named(
    llmproxy: Command, database: Database, pattern: PatternRow
) -> None:
    assert "classify this ticket" in succeed(llmproxy, "patterns", "list")
    (system,) = told(llmproxy, "patterns", "list", "--kind", "system")
    assert (system["name"], system["versions"]) == ("triage rules", 1)
    for order in ("calls", "newest", "success", "cost"):
        (first, second) = told(llmproxy, "patterns", "list", "--order", order)
        assert {first["name"], second["name"]} == {"classify this ticket", "mail"}
    succeed(llmproxy, "patterns", "rename", pattern.id.hex[-8:], "support triage")
    shown = succeed(llmproxy, "patterns", "show", "support triage")
    assert "Classify this ticket: {…}" in shown
    assert "renamed" in shown
    assert "You triage tickets." in succeed(llmproxy, "patterns", "show", "triage rules")
    one = told(llmproxy, "patterns", "show", "support triage")
    assert (one["calls_newest"][0]["verdict"], one["given"]) == ("good", True)
    assert next(audited(database)) == "pattern rename"


def test_two_patterns_are_merged(llmproxy: Command, pattern: PatternRow) -> None:
    succeed(llmproxy, "patterns", "merge", pattern.name, "mail")
    assert [one["name"] for one in told(llmproxy, "patterns", "list")] == ["mail"]
    assert "was merged before" not in succeed(llmproxy, "patterns", "show", pattern.id.hex)


def test_what_is_not_there_is_exit_code_4(llmproxy: Command, pattern: PatternRow) -> None:
    for command in (
        ("patterns", "show"),
        ("enhancements", "show"),
        ("experiments", "show"),
    ):
        ended = llmproxy(*command, "nothing")
        assert (ended.returncode, "there is no" in ended.stderr) == (4, True)
    ended = llmproxy("feedback", "ffffffff", "up")
    assert ended.returncode == 4


def test_a_transformation_is_added_tried_changed_and_removed(
    llmproxy: Command, pattern: PatternRow, call: RequestRow
) -> None:
    when = f'pattern.name == "{pattern.name}"'
    assert "clamp max_tokens" in succeed(
        llmproxy, "transform", "add", "short", "--when", when, "--op", CLAMP
    )
    assert "short" in succeed(llmproxy, "transform", "list")
    shown = succeed(llmproxy, "transform", "test", "short", "--flow", call.id.hex[-8:])
    assert "- 5000" in shown
    assert "+ 1000" in shown
    (tried,) = told(llmproxy, "transform", "test", "short")
    assert tried["applies"] is True
    assert tried["changes"] == [{"place": "/max_tokens", "before": "5000", "after": "1000"}]
    (other,) = told(
        llmproxy, "transform", "test", "short", "--when", 'model == "x"', "--flow", call.id.hex
    )
    assert other["applies"] is False
    assert other["not_for_it"] == ['model == "x" does not hold: model is "gpt-4o"']
    low = '{op = "clamp", parameter = "max_tokens", max = 9000}'
    succeed(llmproxy, "transform", "add", "idle", "--op", low, "--off")
    shown = succeed(llmproxy, "transform", "test", "idle", "--flow", call.id.hex)
    assert "nothing changes: clamp: the request has no max_tokens" in shown
    assert "idle is off" in shown
    succeed(llmproxy, "transform", "remove", "idle")
    succeed(llmproxy, "transform", "set", "short", "--order", "5", "--off")
    one = told(llmproxy, "transform", "show", "short")
    assert (one["order"], one["active"], one["when"]) == (5, False, when)
    assert one["wires"]["openai.chat"] == ""
    assert "short: on." in succeed(llmproxy, "transform", "on", "short")
    assert "on already" in succeed(llmproxy, "transform", "on", "short")
    succeed(llmproxy, "transform", "off", "short")
    succeed(llmproxy, "transform", "remove", "short")
    assert told(llmproxy, "transform", "list") == []


def test_operations_are_read_from_json_and_files(llmproxy: Command, tmp_path: Path) -> None:
    as_json = '{"op": "append_system", "text": "Be brief."}'
    succeed(llmproxy, "transform", "add", "brief", "--op", as_json, "--op", CLAMP)
    file = tmp_path / "logic.toml"
    file.write_text(f"logic = [{CLAMP}]\n")
    succeed(llmproxy, "transform", "set", "brief", "--logic", str(file))
    (one,) = told(llmproxy, "transform", "list")
    assert one["logic"] == [{"op": "clamp", "parameter": "max_tokens", "max": 1000}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--op", "{op = "], "neither TOML"),
        (["--op", '{op = "fly"}'], "op"),
        (["--op", CLAMP, "--when", "model ="], "--when" and "expression"),
        ([], "give an operation"),
        (["--logic", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_wrong_transformation_is_told(llmproxy: Command, arguments: list[str], said: str) -> None:
    ended = llmproxy("transform", "add", "wrong", *arguments)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())


def test_one_of_the_file_is_changed_there(llmproxy: Command) -> None:
    (llmproxy.home / "mitm.toml").write_text(FILE)
    ended = llmproxy("transform", "add", "written", "--op", CLAMP)
    assert (ended.returncode, "change it there" in " ".join(ended.stderr.split())) == (2, True)
    assert "as soon as a worker" in llmproxy("transform", "list").stderr


def test_a_suggestion_is_approved_tried_and_promoted(
    llmproxy: Command, database: Database, suggested: Enhancement
) -> None:
    assert "append_system" in succeed(llmproxy, "enhancements", "list")
    assert '"Be brief."' in succeed(llmproxy, "enhancements", "show", suggested.id)
    assert "has begun" in succeed(llmproxy, "enhancements", "approve", suggested.id[-8:])
    (running,) = told(llmproxy, "experiments", "list", "--status", "running")
    assert (running["enhancement_id"], running["pattern_name"]) == (
        suggested.id, "classify this ticket",
    )  # fmt: skip
    ended = llmproxy("experiments", "promote", running["name"])
    assert (ended.returncode, "it can become" in ended.stderr) == (1, True)
    _win(database, UUID(running["id"]))
    assert "90.0 %" in succeed(llmproxy, "experiments", "show", running["name"])
    assert "not measured" not in succeed(llmproxy, "enhancements", "show", suggested.id)
    succeed(llmproxy, "experiments", "promote", running["id"][-8:])
    for shown in ("experiments", running["name"]), ("enhancements", suggested.id):
        lines = succeed(llmproxy, shown[0], "show", shown[1])
        assert "+0.80 (95 %: +0.52 to +1.00); success 50.0 % → 90.0 %" in lines
        assert "since promoted not measured yet" in lines
    _watch(database, UUID(running["id"]))
    lines = succeed(llmproxy, "experiments", "show", running["name"])
    assert "since promoted +0.75" in lines
    assert "of 20 and 380 conversations" in lines
    found = told(llmproxy, "enhancements", "show", suggested.id)["effect_since"]
    assert found["low"] < found["score"] == 0.75 < found["high"]
    (rule,) = told(llmproxy, "transform", "list")
    assert rule["origin"] == f"experiment:{running['id']}"
    assert told(llmproxy, "enhancements", "show", suggested.id)["status"] == "promoted"
    assert "rolled back" in succeed(llmproxy, "experiments", "stop", running["name"])
    assert told(llmproxy, "transform", "list") == []


def _win(database: Database, id: UUID) -> None:
    tally = Tally.of(
        Outcome(number.to_bytes(16), arm, good=number % 200 < good)
        for arm, good, start in (("control", 100, 0), ("enhanced", 180, 200))
        for number in range(start, start + 200)
    )
    with database.connect() as connection:
        (one,) = experiments.by_id(connection, [id])
    with database.raw() as connection:
        experiment_changes.judge(connection, id, Judge(one.one).verdict(tally), tally)


def _watch(database: Database, id: UUID) -> None:
    tally = Tally({"holdout": ArmTally(12, 8), "enhanced": ArmTally(342, 38)})
    with database.connect() as connection:
        (one,) = experiments.by_id(connection, [id])
    verdict = Judge(probation.beside_holdout(one.one), "holdout").verdict(tally)
    with database.raw() as connection:
        experiment_changes.watch(connection, id, verdict, tally, since=1.0)


def test_a_suggestion_is_rejected_and_thought_about_again(
    llmproxy: Command, database: Database, suggested: Enhancement
) -> None:
    succeed(llmproxy, "enhancements", "reject", suggested.id, "--why", "too short")
    assert "too short" in succeed(llmproxy, "enhancements", "show", suggested.id)
    assert told(llmproxy, "enhancements", "list") == []
    ended = llmproxy("enhancements", "approve", suggested.id)
    assert (ended.returncode, "it is rejected" in ended.stderr) == (1, True)
    succeed(llmproxy, "enhancements", "reconsider", suggested.id)
    (one,) = told(llmproxy, "enhancements", "list", "--status", "candidate")
    assert one["history"][-1]["why"] == "wanted after all"
    succeed(llmproxy, "enhancements", "approve", suggested.id)
    (running,) = told(llmproxy, "experiments", "list")
    assert "stopped" in succeed(llmproxy, "experiments", "stop", running["name"], "--why", "no")
    assert next(audited(database)) == "experiment stopped"


def test_the_advisor_is_asked_by_a_worker(
    llmproxy: Command, database: Database, pattern: PatternRow
) -> None:
    ended = llmproxy("enhancements", "ask", pattern.name)
    assert (ended.returncode, "advisor.enabled" in " ".join(ended.stderr.split())) == (2, True)
    (llmproxy.home / "mitm.toml").write_text("[advisor]\nenabled = true\n")
    ended = llmproxy("enhancements", "ask", pattern.name, "--wait", "0")
    assert "it will be asked" in ended.stderr
    assert next(audited(database)) == "advisor ask"


def test_an_answer_is_said_to_be_good_or_not(
    llmproxy: Command, database: Database, pattern: PatternRow, call: RequestRow
) -> None:
    said = succeed(llmproxy, "feedback", call.id.hex[-8:], "down", "--why", "it made that up")
    assert "down" in said
    shown = succeed(llmproxy, "patterns", "show", pattern.name)
    assert "feedback: it made that up" in shown
    assert next(audited(database)) == "feedback"


def test_experiments_that_were_decided_before_it_are_named(
    llmproxy: Command, database: Database, pattern: PatternRow, call: RequestRow
) -> None:
    one = an_experiment(pattern.id, name="shorter")
    id = UUID(one.id)
    with database.raw() as connection:
        experiment_changes.add(connection, 1, one, "ann")
        experiment_changes.start(connection, id, "ann")
    done = a_change(call, one.id, kind="experiment", arm="control", root=HASH)
    unit = a_unit(id, judged_at=call.started_at, success=True)
    writer = Writer(database)
    writer.write(Batch(lessons=Lessons(applied=[done], units=[unit])))
    writer.close()
    assert told(llmproxy, "feedback", call.id.hex, "down")["too_late_for"] == []
    with database.raw() as connection:
        connection.execute("UPDATE experiment_units SET judged_at = now()")
        experiment_changes.stop(connection, id, "ann", "enough")
    said = succeed(llmproxy, "feedback", call.id.hex, "up")
    assert "too late for the experiment shorter" in said
    assert told(llmproxy, "feedback", call.id.hex, "down")["too_late_for"] == ["shorter"]


def test_what_went_well_is_exported(
    llmproxy: Command, pattern: PatternRow, call: RequestRow
) -> None:
    line = json.loads(succeed(llmproxy, "export", "--pattern", pattern.name, "--good"))
    assert line["id"] == str(call.id)
    succeed(llmproxy, "feedback", call.id.hex, "down")
    assert succeed(llmproxy, "export", "--pattern", pattern.name, "--good") == ""
    assert succeed(llmproxy, "export", "--pattern", "mail") == ""
