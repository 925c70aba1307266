from collections.abc import Iterator
from typing import Any

import pytest

from llmproxy_core.store import anomaly_changes, flagged
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import AnomalyRow
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, an_anomaly


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def found_in(writer: Writer, request: RequestRow, number: int, **values: Any) -> AnomalyRow:
    row = an_anomaly(request, text_hash=bytes([number]) * 16, **values)
    writer.write(Batch(requests=[request], anomalies=[row]))
    return row


def worst(database: Database, *requests: RequestRow) -> list[str | None]:
    with database.connect() as connection:
        found = flagged.worst(connection, [request.id for request in requests])
    return [found.get(request.id) for request in requests]


def test_the_worst_of_what_was_found_in_each_call_is_told(
    database: Database, writer: Writer
) -> None:
    one, other, clean = a_request(), a_request(), a_request()
    rows = [
        an_anomaly(one, text_hash=bytes([n]) * 16, severity=severity)
        for n, severity in enumerate(("low", "critical", "medium"))
    ]
    writer.write(Batch(requests=[one], anomalies=rows))
    found_in(writer, other, 4, severity="low")
    writer.write(Batch(requests=[clean]))

    assert worst(database, one, other, clean) == ["critical", "low", None]
    assert worst(database) == []


def test_a_finding_is_told_of_the_first_call_and_the_last(
    database: Database, writer: Writer
) -> None:
    calls = [a_request() for _ in range(3)]
    for call in calls:
        found_in(writer, call, 1, severity="high")

    assert worst(database, *calls) == ["high", None, "high"]


def test_what_was_a_false_positive_is_not_told(database: Database, writer: Writer) -> None:
    call = a_request()
    row = found_in(writer, call, 1, severity="high")
    with database.raw() as connection:
        anomaly_changes.judge(connection, [row.id], "false_positive", "anna")

    assert worst(database, call) == [None]
