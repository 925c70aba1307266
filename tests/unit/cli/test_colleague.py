"""The demo's colleague decides about what a person has left."""

from datetime import UTC, datetime, timedelta

import pytest

from llmproxy_core.cli.colleague import NAME, decide
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.experiments.tally import ArmTally, Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.store import (
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiments,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.writer import Writer
from tests.store.lessons import a_pattern, an_enhancement

LATER = timedelta(hours=1)


@pytest.fixture
def suggested(database: Database) -> Enhancement:
    pattern = a_pattern()
    writer = Writer(database)
    writer.write(Batch(lessons=Lessons(patterns=[pattern])))
    writer.close()
    one = an_enhancement(pattern.id, wires=())
    with database.raw() as connection:
        enhancement_changes.add(connection, 1, one)
    return one


def states(database: Database) -> tuple[list[str], list[tuple[str, str]]]:
    """Of all suggestions, and of all experiments, with who took the last step."""
    with database.connect() as connection:
        found = enhancements.enhancements(connection, enhancements.STATUSES)
        tried = [one.one for one in experiments.experiments(connection)]
    return [one.one.status for one in found], [(one.status, one.steps[-1].by) for one in tried]


def test_what_waits_is_approved_and_what_has_won_is_promoted(
    database: Database, suggested: Enhancement
) -> None:
    decide(database, datetime.now(UTC) + LATER)
    assert states(database) == (["experimenting"], [("running", NAME)])
    with database.connect() as connection:
        (one,) = experiments.experiments(connection)
    tally = Tally({"control": ArmTally(100, 100), "enhanced": ArmTally(180, 20)})
    with database.raw() as connection:
        experiment_changes.judge(connection, one.id, Judge(one.one).verdict(tally), tally)
    decide(database, datetime.now(UTC) - LATER)
    assert states(database)[1] == [("won", "llmproxy")]
    decide(database, datetime.now(UTC) + LATER)
    assert states(database) == (["promoted"], [("promoted", NAME)])


def test_a_person_may_decide_first(database: Database, suggested: Enhancement) -> None:
    decide(database, datetime.now(UTC) - timedelta(days=10_000))
    assert states(database) == (["candidate"], [])
