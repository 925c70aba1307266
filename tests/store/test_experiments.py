"""Enhancements and experiments: what people and the worker make of them, and what follows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from llmproxy_core.errors import EnhancementError, ExperimentError, StoreError
from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.experiments.tally import Outcome, Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.store import (
    audit,
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiments,
    transformation_changes,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.transformations import transformations
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_request, new_id
from tests.store.lessons import a_change, a_pattern, a_unit, an_enhancement, an_experiment

type Connection = psycopg.Connection[Any]

PATTERN = UUID("0199aaaa-0000-7000-8000-00000000000a")


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def pattern(database: Database) -> UUID:
    learn(database, patterns=[a_pattern(id=PATTERN)])
    return PATTERN


def learn(database: Database, **rows: Any) -> None:
    writer = Writer(database)
    writer.write(Batch(lessons=Lessons(**rows)))
    writer.close()


def told(connection: Connection) -> list[tuple[str, str]]:
    """Oldest first."""
    return [(one.actor, one.action) for _, one in audit.newest(connection)][::-1]


def suggested(connection: Connection, pattern: UUID) -> UUID:
    one = an_enhancement(pattern)
    assert enhancement_changes.add(connection, 1, one, {"calls": 70})
    return UUID(one.id)


def status(database: Database, enhancement: UUID) -> str:
    with database.connect() as conn:
        (found,) = enhancements.by_id(conn, [enhancement])
    return found.one.status


def stored(database: Database, one: Experiment) -> experiments.StoredExperiment:
    with database.connect() as conn:
        (found,) = experiments.by_id(conn, [UUID(one.id)])
    return found


def tally(one: Experiment, control: int, variant: int, of: int = 200) -> Tally:
    name = one.variants[0].name
    return Tally.of(
        Outcome(number.to_bytes(16), arm, good=number % of < good)
        for arm, good, start in ((CONTROL, control, 0), (name, variant, of))
        for number in range(start, start + of)
    )


def judged(connection: Connection, one: Experiment, counts: Tally) -> Experiment:
    return experiment_changes.judge(connection, UUID(one.id), Judge(one).verdict(counts), counts)


def test_a_suggestion_comes_back_as_it_was_made(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    one = an_enhancement(pattern, saving_usd_per_day=1.25)
    assert enhancement_changes.add(connection, 1, one)
    with database.connect() as conn:
        (found,) = enhancements.enhancements(conn)
        assert enhancements.of_pattern(conn, 1, pattern) == [found]
        assert enhancements.find_ids(conn, one.id[-6:]) == [found.id]
    assert found.one == one
    assert (found.pattern, found.namespace, found.created_at) == (
        "classify this ticket", "default", AT,
    )  # fmt: skip


def test_the_same_edit_is_not_suggested_twice(connection: Connection, pattern: UUID) -> None:
    suggested(connection, pattern)
    assert not enhancement_changes.add(connection, 1, an_enhancement(pattern))
    assert told(connection) == [("built-in:brief", "enhancement suggested")]


def test_the_advisor_is_asked_once_about_the_same(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    for _ in range(2):
        enhancement_changes.note_asked(connection, 1, pattern, "ab" * 16, "nothing is worth it")
    with database.connect() as conn:
        assert enhancements.asked(conn, 1, pattern) == {"ab" * 16}


def test_a_person_decides_and_the_audit_says_why(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    id = suggested(connection, pattern)
    enhancement_changes.reject(connection, id, "ann", "too short")
    with pytest.raises(EnhancementError, match="it is rejected"):
        enhancement_changes.approve(connection, id, "ann")
    enhancement_changes.reconsider(connection, id, "ann", "why not")
    enhancement_changes.approve(connection, id, "ann")
    assert status(database, id) == "approved"
    assert told(connection)[1:] == [
        ("ann", "enhancement rejected"),
        ("ann", "enhancement candidate"),
        ("ann", "enhancement approved"),
    ]
    with pytest.raises(StoreError, match="There is no enhancement"):
        enhancement_changes.approve(connection, new_id(), "ann")


def test_an_approved_enhancement_is_tried_and_promoted(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    id = suggested(connection, pattern)
    with pytest.raises(EnhancementError, match="nobody has approved it"):
        experiment_changes.try_out(connection, id, "worker")
    enhancement_changes.approve(connection, id, "ann")
    one = experiment_changes.try_out(connection, id, "worker", holdout=0.1)
    assert (one.status, status(database, id)) == ("running", "experimenting")
    won = judged(connection, one, tally(one, 100, 180))
    assert (won.status, won.promoted, status(database, id)) == ("won", "enhanced", "experimenting")
    experiment_changes.promote(connection, UUID(one.id), "ann")
    (rule,) = transformations(connection)
    assert (rule.experiment, rule.active) == (one.id, True)
    assert rule.expression == f'pattern.id == "{pattern}" and (wire in ["openai.chat"])'
    found = stored(database, one)
    assert (found.one.status, found.enhancement_id) == ("promoted", id)
    assert found.verdict["kind"] == "won"
    with database.connect() as conn:
        (enhancement,) = enhancements.by_id(conn, [id])
    assert enhancement.one.status == "promoted"
    assert enhancement.one.effectiveness_score == pytest.approx(0.8)


def test_what_harms_is_rolled_back_by_itself(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    id = suggested(connection, pattern)
    one = experiment_changes.try_out(connection, id, "worker", auto=True)
    ended = judged(connection, one, tally(one, 180, 100))
    assert (ended.status, status(database, id)) == ("rolled_back", "rolled_back")
    assert ("llmproxy", "experiment harmful") in told(connection)
    found = stored(database, one)
    assert (found.ended_by, str(found.ended_why)[:14]) == ("llmproxy", "It has harmed:")
    with database.connect() as conn:
        assert experiments.in_force(conn) == ([], [])


def test_what_was_promoted_can_be_taken_back(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    id = suggested(connection, pattern)
    one = experiment_changes.try_out(connection, id, "worker", auto=True)
    judged(connection, one, tally(one, 100, 180))
    experiment_changes.promote(connection, UUID(one.id), "ann")
    name = transformations(connection)[0].name
    with pytest.raises(StoreError, match="llmproxy experiments stop"):
        transformation_changes.remove(connection, name, "ann")
    experiment_changes.stop(connection, UUID(one.id), "ann", "the model has changed")
    assert transformations(connection) == []
    assert status(database, id) == "rolled_back"


def test_a_verdict_that_decides_nothing_is_kept_without_a_word(
    database: Database, connection: Connection
) -> None:
    one = an_experiment()
    experiment_changes.add(connection, 1, one, "ann")
    one = experiment_changes.start(connection, UUID(one.id), "ann")
    before = told(connection)
    counts = tally(one, 9, 9, of=10)
    assert judged(connection, one, counts) == one
    found = stored(database, one)
    assert (found.tally, found.verdict["kind"]) == (counts, "open")
    assert found.judged_at is not None
    assert told(connection) == before


def test_a_pattern_has_one_experiment_at_a_time(connection: Connection, pattern: UUID) -> None:
    first, second = an_experiment(pattern), an_experiment(pattern, name="other")
    for one in (first, second):
        experiment_changes.add(connection, 1, one, "ann")
    experiment_changes.start(connection, UUID(first.id), "ann")
    with pytest.raises(ExperimentError, match="'brief' of the same pattern is running"):
        experiment_changes.start(connection, UUID(second.id), "ann")
    experiment_changes.stop(connection, UUID(first.id), "ann", "enough")
    experiment_changes.start(connection, UUID(second.id), "ann")


def test_two_experiments_cannot_have_one_name(connection: Connection) -> None:
    experiment_changes.add(connection, 1, an_experiment(), "ann")
    with pytest.raises(StoreError, match="'brief' already"):
        experiment_changes.add(connection, 1, an_experiment(), "ann")


def test_proxies_are_told_of_experiments_that_conversations_are_in(
    database: Database, connection: Connection
) -> None:
    draft, running, stopped = (an_experiment(name=name) for name in ("draft", "runs", "stopped"))
    for one in (draft, running, stopped):
        experiment_changes.add(connection, 1, one, "ann")
    for one in (running, stopped):
        experiment_changes.start(connection, UUID(one.id), "ann")
    experiment_changes.stop(connection, UUID(stopped.id), "ann", "enough")
    with database.connect() as conn:
        told, problems = experiments.in_force(conn)
    assert ({one["name"] for one in told}, problems) == ({"runs", "stopped"}, [])
    assert {one["namespace"] for one in told} == {"default"}
    connection.execute("UPDATE experiments SET definition = '{}' WHERE name = 'runs'")
    with database.connect() as conn:
        told, (problem,) = experiments.in_force(conn)
    assert "runs" in problem


def test_an_experiment_is_found_by_its_name_or_the_end_of_its_id(
    database: Database, connection: Connection
) -> None:
    one = an_experiment(name="fade")
    experiment_changes.add(connection, 1, one, "ann")
    with database.connect() as conn:
        assert experiments.find_ids(conn, "fade") == [UUID(one.id)]
        assert experiments.find_ids(conn, one.id[-6:]) == [UUID(one.id)]
        assert experiments.find_ids(conn, "fad") == []


def test_conversations_are_due_until_they_are_counted(
    database: Database, connection: Connection
) -> None:
    one = an_experiment()
    experiment_changes.add(connection, 1, one, "ann")
    id = UUID(one.id)
    units = [
        a_unit(id, bytes([number]) * 16, arm="short", input_tokens=100, cached_tokens=75)
        for number in range(3)
    ]
    units[0].judged_at, units[0].success = AT + timedelta(hours=1), True
    learn(database, units=units)
    with database.connect() as conn:
        due = experiments.due(conn, AT + timedelta(minutes=1))
        (counted,) = experiments.judged(conn, 1, id)
        assert experiments.due(conn, AT) == []
        arms = experiments.arms(conn, 1, id)
        assert len(experiments.units(conn, 1, id)) == 3
    assert [found for _, found, _ in due] == [id, id]
    assert counted.outcome == Outcome(
        bytes(16), "short", good=True, failed=False, cached_share=0.75
    )
    assert arms == {"short": experiments.Arm(3, 1, 300, 225, 0)}


def test_an_enhancement_was_applied_once_a_request_left_with_it(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    id = suggested(connection, pattern)
    one = experiment_changes.try_out(connection, id, "worker", auto=True)
    for arm, expected in (("control", False), ("enhanced", True)):
        learn(database, applied=[a_change(a_request(), one.id, kind="experiment", arm=arm)])
        with database.connect() as conn:
            (found,) = enhancements.by_id(conn, [id])
        assert found.one.was_applied is expected


def test_an_approval_starts_the_experiment_or_waits_for_another_one(
    database: Database, connection: Connection, pattern: UUID
) -> None:
    first = suggested(connection, pattern)
    other = an_enhancement(pattern, edit=({"op": "append_system", "text": "Use JSON."},))
    enhancement_changes.add(connection, 1, other)
    second = UUID(other.id)
    one = experiment_changes.approve(connection, first, "ann", counting=["feedback"])
    assert one is not None
    assert (one.status, one.counting) == ("running", ("feedback",))
    assert experiment_changes.approve(connection, second, "ann") is None
    assert (status(database, second), experiment_changes.waiting(connection)) == (
        "approved", [second],
    )  # fmt: skip
    experiment_changes.stop(connection, UUID(one.id), "ann", "enough")
    experiment_changes.try_out(connection, second, "worker")
    assert experiment_changes.waiting(connection) == []
