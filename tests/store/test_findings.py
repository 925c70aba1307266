"""What the worker writes of the guard, and how it is read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.store import anomalies, approvals, decisions
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import Anomaly
from llmproxy_core.store.writer import Writer
from tests.store.flows import (
    AT,
    a_decision,
    a_request,
    an_anomaly,
    an_approval,
    an_event,
    new_id,
    whole,
)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def found(database: Database, request: RequestRow) -> list[Anomaly]:
    with database.connect() as connection:
        return anomalies.of_flow(connection, request.id)


def test_a_finding_is_stored_with_its_evidence(database: Database, writer: Writer) -> None:
    request = a_request()
    row = an_anomaly(request, said="A key \x00 of AWS")
    change = writer.write(Batch(requests=[request], anomalies=[row]))
    (stored,) = found(database, request)
    assert (stored.id, stored.namespace, stored.at, stored.times) == (row.id, "default", AT, 1)
    assert (stored.said, stored.status) == ("A key � of AWS", "detected")
    assert stored.evidence == "[secret:aws:fp_0123]"
    assert (stored.last_request_id, stored.last_at) == (request.id, AT)
    assert stored.score == pytest.approx(0.9)
    assert change.anomalies == [row.id]


def test_the_same_finding_in_the_same_text_counts_its_calls(
    database: Database, writer: Writer
) -> None:
    first, second, third = (a_request() for _ in range(3))
    row = an_anomaly(first)
    writer.write(Batch(requests=[first], anomalies=[row, an_anomaly(first)]))
    later = AT + timedelta(hours=1)
    again = [an_anomaly(request, at=later) for request in (second, third)]
    change = writer.write(Batch(requests=[second, third], anomalies=again))
    (stored,) = found(database, first)
    assert (stored.id, stored.request_id, stored.at, stored.times) == (row.id, first.id, AT, 3)
    assert (stored.last_request_id, stored.last_at) == (third.id, later)
    assert change.anomalies == [row.id]
    assert found(database, third) == [stored]


@pytest.mark.parametrize(
    "other",
    [
        {"detector": "pii"},
        {"text_hash": b"2" * 16},
        {"mark_start": 3},
        {"excerpt": "another key is [secret:aws:fp_9] there"},
    ],
)
def test_another_finding_is_another_row(
    database: Database, writer: Writer, other: dict[str, Any]
) -> None:
    request = a_request()
    writer.write(Batch(requests=[request], anomalies=[an_anomaly(request)]))
    writer.write(Batch(anomalies=[an_anomaly(request, **other)]))
    assert [row.times for row in found(database, request)] == [1, 1]


def test_a_batch_that_is_written_again_counts_nothing_twice(
    database: Database, writer: Writer
) -> None:
    request, decided = a_request(), a_request()
    batch = whole(request)
    batch.anomalies = [an_anomaly(request), an_anomaly(request, side="response", detector="pii")]
    batch.decisions = [a_decision(request), a_decision(request, side="response")]
    batch.approvals = [an_approval(request)]
    writer.write(batch)
    batch.requests.append(decided)
    batch.anomalies.append(an_anomaly(decided))
    writer.write(batch)
    assert [row.times for row in found(database, request)] == [2, 1]
    with database.connect() as connection:
        assert len(decisions.of_flow(connection, request.id)) == 2
        assert len(approvals.newest(connection)) == 1


def test_what_is_judged_later_may_be_judged_again(database: Database, writer: Writer) -> None:
    request = a_request()
    writer.write(whole(request))
    late = Batch(
        anomalies=[an_anomaly(request)],
        decisions=[a_decision(request)],
        approvals=[an_approval(request)],
    )
    writer.write(late)
    writer.write(late)
    assert [row.times for row in found(database, request)] == [1]
    with database.connect() as connection:
        assert len(decisions.of_flow(connection, request.id)) == 1


def test_a_decision_names_the_anomalies_as_they_are_stored(
    database: Database, writer: Writer
) -> None:
    first, second, elsewhere = a_request(), a_request(), new_id()
    known = an_anomaly(first)
    writer.write(Batch(requests=[first], anomalies=[known]))
    again = an_anomaly(second)
    decided = a_decision(second, findings=[again.id, elsewhere, again.id])
    writer.write(Batch(requests=[second], anomalies=[again], decisions=[decided]))
    with database.connect() as connection:
        (stored,) = decisions.of_flow(connection, second.id)
    assert stored.findings == [known.id, elsewhere]
    assert (stored.policy, stored.outcome, stored.why) == ("no-keys", "blocked", "a key of AWS")


def test_what_became_of_a_call_that_waited_comes_later(database: Database, writer: Writer) -> None:
    request, other = a_request(), a_request()
    writer.write(Batch(requests=[request, other], approvals=[an_approval(request)]))
    writer.write(Batch(approvals=[an_approval(other), an_approval(request, state="expired")]))
    writer.write(Batch(approvals=[an_approval(request), an_approval(other, state="denied")]))
    with database.connect() as connection:
        states = {row.request_id: row.state for row in approvals.newest(connection)}
    assert states == {request.id: "expired", other.id: "denied"}


def test_a_row_that_postgres_refuses_does_not_hold_up_the_others(
    database: Database, writer: Writer
) -> None:
    request = a_request()
    batch = Batch(
        requests=[request],
        anomalies=[an_anomaly(request, mark_start=2**40), an_anomaly(request, detector="pii")],
        decisions=[a_decision(request)],
        approvals=[an_approval(request)],
        events=[an_event(request_id=request.id)],
    )
    change = writer.write(batch)
    assert [row.detector for row in found(database, request)] == ["pii"]
    assert change.anomalies == [batch.anomalies[1].id]
    with database.connect() as connection:
        refused = connection.execute(
            text("SELECT data ->> 'table' FROM analytics_events WHERE kind = 'row_refused'")
        )
        assert refused.scalars().all() == ["anomalies"]
        assert len(decisions.of_flow(connection, request.id)) == 1
        assert [row.request_id for row in approvals.newest(connection)] == [request.id]


def test_decisions_of_a_week_without_calls_find_their_place(
    database: Database, writer: Writer
) -> None:
    request = a_request(id=UUID(int=2**41 << 80 | 7 << 76))
    writer.write(Batch(decisions=[a_decision(request)]))
    with database.connect() as connection:
        assert len(decisions.of_flow(connection, request.id)) == 1
