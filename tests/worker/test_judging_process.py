"""Real workers that are killed while they judge, and people whose word they heed."""

import time
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.store import anomalies, anomaly_changes
from tests.worker.processes import wait_for, worker
from tests.worker.traffic import Call, append, chat

pytestmark = pytest.mark.system

MARK = "[secret:aws-access-token:fp_0123456789ab]"


def leak(number: int) -> Call:
    return Call(number, answer=chat(f"{number}: the key is {MARK}. " + "word " * 400))


def counts(database) -> tuple[int, int, int]:
    """Findings of these secrets, in how many calls, and calls that are not judged."""
    with database.connect() as connection:
        found = connection.execute(
            text("SELECT count(*), coalesce(sum(times), 0) FROM anomalies WHERE family = 'secret'")
        ).one()
        left = connection.scalar(text("SELECT count(*) FROM unjudged")) or 0
    return found[0], found[1], left


def test_every_call_is_judged_once_though_workers_are_killed(config, home, journal, database):
    calls = 150
    for number in range(calls):
        append(journal, leak(number).records())
    for portion in (10, 40, 80):
        with worker(home, config.database.url):  # killed at the end
            wait_for(partial(_more_than, database, portion), "nothing is found")
    with worker(home, config.database.url):
        wait_for(lambda: counts(database) == (calls, calls, 0), f"not so: {counts(database)}", 120)


@pytest.mark.parametrize("said", ["false_positive", "resolved"])
def test_what_a_person_says_of_a_finding_is_heeded(config, home, journal, database, said):
    again = f"The key is {MARK}."
    append(journal, Call(1, answer=chat(again)).records())
    with worker(home, config.database.url):
        wait_for(lambda: counts(database)[:2] == (1, 1), "nothing is found")
        with database.connect() as connection:
            (found,) = anomalies.anomalies(connection)
        with database.raw() as connection:
            anomaly_changes.judge(connection, [found.id], said, "anna")
            connection.commit()
        if said == "false_positive":
            wait_for(lambda: "harmless" in _rulebook(home), "nothing is learned")
        time.sleep(1.5)  # the worker looks once a second
        append(journal, Call(2, answer=chat(again)).records())
        append(journal, leak(3).records())
        wait_for(lambda: counts(database)[0] == 2, "nothing more is found")
    with database.connect() as connection:
        (found,) = anomalies.by_id(connection, [found.id])
    told = {"false_positive": Call(1), "resolved": Call(2)}[said]
    assert found.last_request_id == UUID(bytes=told.id)


def _more_than(database, portion: int) -> bool:
    return counts(database)[0] > portion


def _rulebook(home) -> str:
    return home.rulebook.read_text() if home.rulebook.exists() else ""
