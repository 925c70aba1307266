"""The database is away for a day: what was spooled meanwhile is stored once it is back."""

import time
from uuid import UUID

import pytest

from llmproxy_core.home import Home, private_folder
from llmproxy_core.records import Closed, Opened
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store import detail
from llmproxy_core.store.database import Database
from tests.worker.processes import Worker
from tests.worker.traffic import SECOND, Call, chat, chat_stream

pytestmark = pytest.mark.system

NOW = 1_795_000_000 * SECOND
SAMPLED = 200


def calls(count: int):
    """50 a second, from some programs; every tenth is streamed."""
    for number in range(count):
        at = NOW + number * SECOND // 50
        client = f"127.0.0.1:{40_000 + number % 7}"
        credential = f"fp_{number % 7}"
        if number % 10 == 0:
            pieces = chat_stream(f"{number} one", " two")
            yield Call(number, at, client=client, credential=credential, pieces=pieces)
        else:
            answer = chat(f"answer {number} " + "word " * 50)
            yield Call(number, at, client=client, credential=credential, answer=answer)


def spool(home: Home, count: int) -> int:
    """Write the journal of so many calls, as a proxy would; the number of records."""
    private_folder(home.path)
    private_folder(home.spool)
    journal, records = SpoolWriter(home.spool), 0
    for call in calls(count):
        for record, body in call.records():
            assert journal.append(record, [body] if body else [])
            records += 1
    journal.close()
    return records


def drain(home: Home, database: Database) -> float:
    """Seconds."""
    began = time.monotonic()
    worker = Worker(home, database.url, "--once")
    assert worker.end(3000) == 0, worker.log[-2000:]
    return time.monotonic() - began


def check(database: Database, count: int) -> None:
    """All calls are there once; of a sample every byte."""
    with database.raw() as connection:
        for query in (
            "SELECT count(*) FROM requests",
            "SELECT count(*) FROM responses WHERE state = 'complete'",
            "SELECT sum(requests) FROM sessions",
            "SELECT sum(responses) FROM sessions",
            "SELECT sum(requests) FROM rollups",
        ):
            assert connection.execute(query).fetchone() == (count,), query
        assert connection.execute("SELECT count(*) FROM analytics_events").fetchone() == (0,)
    step = max(1, count // SAMPLED)
    with database.connect() as connection:
        for call in calls(count):
            if call.number % step == 0:
                _check_call(connection, call)


def _check_call(connection, call: Call) -> None:
    key = (1, UUID(bytes=call.id))
    request, response = detail.unread(connection, [key])[key]
    records = call.records()
    sent = b"".join(body for record, body in records if isinstance(record, Opened))
    got = b"".join(body for record, body in records if not isinstance(record, Opened))
    (end,) = (record for record, _ in records if isinstance(record, Closed))
    assert response is not None
    assert (request.body, response.body) == (sent, got)
    assert response.hash_out == end.hash_out


def away(home: Home, database: Database, count: int) -> None:
    records = spool(home, count)
    seconds = drain(home, database)
    print(f"\n{records:,} records of {count:,} calls: {records / seconds:,.0f} records/s")
    check(database, count)
    assert not [path for path in home.spool.iterdir() if path.is_dir()]


def test_some_minutes_without_the_database(tmp_path, database):
    away(Home(tmp_path / "home"), database, 3_000)


@pytest.mark.chaos
def test_a_day_without_the_database(tmp_path, database):
    away(Home(tmp_path / "home"), database, 230_000)
