from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from llmproxy_core.config import PolicyConfig
from llmproxy_core.store import anomaly_changes, audit, labels, policy_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import AnomalyRow, Status
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_decision, a_request, an_anomaly, new_id

KEYS = PolicyConfig(name="no-keys", when='finding.family == "secret"', action="block")


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def findings(writer: Writer, number: int, **changes: Any) -> list[AnomalyRow]:
    """Each in a call of its own, about which `no-keys` decided."""
    rows = []
    for n in range(number):
        request = a_request()
        row = an_anomaly(request, text_hash=bytes([n]) * 16, **changes)
        decided = a_decision(request, findings=[row.id], at=row.at)
        writer.write(Batch(requests=[request], anomalies=[row], decisions=[decided]))
        rows.append(row)
    return rows


def say(connection: psycopg.Connection[Any], rows: list[AnomalyRow], status: Status) -> None:
    anomaly_changes.judge(connection, [row.id for row in rows], status, "anna")


def test_a_verdict_is_kept_with_who_and_why(
    connection: psycopg.Connection[Any], writer: Writer
) -> None:
    (row,) = findings(writer, 1)
    changed = anomaly_changes.judge(
        connection, [row.id, new_id()], "false_positive", "anna", "an example"
    )
    assert changed == [row.id]
    assert anomaly_changes.judge(connection, [row.id], "false_positive", "bert") == []
    found = connection.execute("SELECT status, status_by, status_why FROM anomalies").fetchall()
    assert found == [("false_positive", "anna", "an example")]
    event = audit.newest(connection)[0][1]
    assert (event.actor, event.action, event.target) == (
        "anna", "anomaly false positive", str(row.id),
    )  # fmt: skip
    assert event.detail == '{"before":"detected","detector":"secrets","why":"an example"}'


def test_labels_are_what_people_said_last(
    connection: psycopg.Connection[Any], writer: Writer
) -> None:
    first, second, third, _ = findings(writer, 4)
    assert labels.stamp(connection) is None
    say(connection, [first], "false_positive")
    say(connection, [second], "resolved")
    say(connection, [third], "acknowledged")
    found = labels.labels(connection)
    assert [(one.namespace, one.text_hash, one.harmless) for one in found] == [
        ("default", first.text_hash, True),
        ("default", second.text_hash, False),
    ]
    before = labels.stamp(connection)
    say(connection, [first], "resolved")
    assert [one.harmless for one in labels.labels(connection)] == [False, False]
    assert before is not None
    assert (labels.stamp(connection) or before) > before


def test_a_policy_is_judged_by_the_findings_that_it_applied_to(
    connection: psycopg.Connection[Any], writer: Writer
) -> None:
    policy_changes.add(connection, KEYS, "anna")
    later = connection.execute("SELECT now() + interval '1 minute'").fetchone()
    rows = findings(writer, 4, at=later[0] if later else None)
    say(connection, rows[:2], "resolved")
    say(connection, rows[2:3], "false_positive")
    judged = labels.judged(connection)["no-keys"]
    assert (judged.labelled, judged.false) == (3, 1)
    assert judged.bound == pytest.approx(0.8647, abs=1e-3)


def test_what_it_decided_with_another_expression_does_not_count(
    connection: psycopg.Connection[Any], writer: Writer
) -> None:
    rows = findings(writer, 2)
    say(connection, rows, "resolved")
    policy_changes.add(connection, KEYS, "anna")
    assert labels.judged(connection) == {"no-keys": labels.Judged()}
    assert labels.Judged().bound == 1.0
