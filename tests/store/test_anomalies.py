from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.store import anomalies, anomaly_changes, decisions
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import AnomalyRow
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_decision, a_request, an_anomaly, new_id


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def store(writer: Writer, *changes: dict[str, Any]) -> list[AnomalyRow]:
    """A call each, in order."""
    rows = []
    for n, change in enumerate(changes):
        request = a_request(ns_id=change.get("ns_id", 1))
        row = an_anomaly(request, **{"text_hash": bytes([n]) * 16, **change})
        writer.write(Batch(requests=[request], anomalies=[row]))
        rows.append(row)
    return rows


def asked(database: Database, wanted: Queue | None = None, **page: Any) -> list[UUID]:
    with database.connect() as connection:
        return [row.id for row in anomalies.anomalies(connection, wanted, **page)]


def test_the_queue_is_read_page_by_page(database: Database, writer: Writer) -> None:
    rows = store(writer, *({"severity": s} for s in ("low", "high", "critical", "low", "medium")))
    ids = [row.id for row in reversed(rows)]
    assert asked(database) == ids
    assert asked(database, limit=2) == ids[:2]
    assert asked(database, limit=2, before=ids[1]) == ids[2:4]
    assert asked(database, limit=2, before=ids[3]) == ids[4:]


def test_what_is_settled_leaves_the_queue(database: Database, writer: Writer) -> None:
    rows = store(writer, {}, {}, {}, {})
    with database.raw() as connection:
        for row, status in zip(rows, ("acknowledged", "resolved", "false_positive"), strict=False):
            anomaly_changes.judge(connection, [row.id], status, "anna")  # type: ignore[arg-type]
    assert asked(database) == [rows[3].id, rows[0].id]
    assert asked(database, Queue(statuses=("resolved",))) == [rows[1].id]
    with database.connect() as opened:
        assert anomalies.counts(opened) == {
            ("detected", "high"): 1, ("acknowledged", "high"): 1,
            ("resolved", "high"): 1, ("false_positive", "high"): 1,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Queue(severities=("critical",)), [0]),
        (Queue(families=("pii", "jailbreak")), [1]),
        (Queue(families=("secret",), severities=("high",)), [3, 2]),
        (Queue(namespace="team"), [2]),
        (Queue(namespace="nobody"), []),
        (Queue(detector="other"), [3]),
        (Queue(words=("AWS", "ok")), [3, 2, 1, 0]),
        (Queue(words=("shell",)), [1]),
        (Queue(words=("shell", "nowhere")), []),
    ],
)
def test_the_queue_can_be_narrowed(
    database: Database, writer: Writer, wanted: Queue, found: list[int]
) -> None:
    team = writer.namespace("team")
    rows = store(
        writer,
        {"severity": "critical"},
        {"family": "pii", "tool": "Shell"},
        {"ns_id": team},
        {"detector": "other"},
    )
    assert asked(database, wanted) == [rows[n].id for n in found]


def test_the_queue_goes_back_to_a_time(database: Database, writer: Writer) -> None:
    old = UUID(int=(1_700_000_000_000 << 80) | 7 << 76)
    rows = store(writer, {"id": old}, {})
    since = datetime.fromisoformat("2024-01-01T00:00:00Z")
    assert asked(database, Queue(since=since)) == [rows[1].id]
    assert asked(database, Queue(since=since - timedelta(days=365))) == [rows[1].id, old]


def test_an_anomaly_is_found_by_a_part_of_its_id(database: Database, writer: Writer) -> None:
    (row,) = store(writer, {})
    with database.connect() as connection:
        for part in (str(row.id), row.id.hex[:12], row.id.hex[-8:].upper()):
            assert anomalies.find_ids(connection, part) == [row.id]
        for part in ("", "xyz", row.id.hex[-3:], new_id().hex[-12:], "0" * 33):
            assert row.id not in anomalies.find_ids(connection, part)
        assert [one.id for one in anomalies.by_id(connection, [row.id, new_id()])] == [row.id]
        assert anomalies.by_id(connection, []) == []


def test_hits_are_counted_by_the_time_of_the_calls(database: Database, writer: Writer) -> None:
    now = new_id().int >> 80
    days = [0, 0, 2, 9]
    calls = [
        a_request(id=UUID(int=(now - day * 86_400_000) << 80 | 7 << 76 | n))
        for n, day in enumerate(days)
    ]
    writer.write(
        Batch(
            requests=calls,
            decisions=[a_decision(call) for call in calls] + [a_decision(calls[0], policy="other")],
        )
    )
    with database.connect() as connection:
        hits = decisions.hits(connection, ["no-keys", "other", "none"])
        newest = decisions.newest(connection, "no-keys", limit=2)
        rest = decisions.newest(connection, "no-keys", before=newest[-1].request_id)
    assert hits == {
        "no-keys": decisions.Hits(2, 3),
        "other": decisions.Hits(1, 1),
        "none": decisions.Hits(0, 0),
    }
    assert [row.request_id for row in (*newest, *rest)] == [calls[n].id for n in (1, 0, 2, 3)]
