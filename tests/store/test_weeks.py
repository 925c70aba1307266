"""Migration 0002, beside writers and killed between its steps; and the weeks of the writer."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, text

from llmproxy_core.home import Home
from llmproxy_core.store import migrate, partitions, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.steps import Steps
from llmproxy_core.store.writer import Writer
from tests.postgres import at_version, drop_database, new_database, opened
from tests.store.flows import a_call, a_request, a_response, an_event, new_id, whole
from tests.store.statements import statements_of

WEEK_MS = 604_800_000
HOT = ("analytics_events", "blobs", "requests", "responses", "search", "tool_calls")
LONGEST_STALL = 1.0
"""In seconds, beyond what the machine makes everybody wait."""

ID = """
(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 86400000 + i * 86), 12, '0') || '7'
    || lpad(to_hex(i), 19, '8'))::uuid
"""
ONE_REQUEST = f"""
INSERT INTO requests (ns_id, id, session_id, started_at, client, provider, wire, scheme, host, port,
    method, path, http_version, stream, n_messages, tool_names, preview, body_bytes, body_kept,
    hash_in, hash_out, headers, parameters, body_encoding, body)
SELECT 1, {ID}, '0199aaaa-0000-7000-8000-000000000001', now(), 'c', 'p', 'w', 'https', 'h', 443,
    'POST', '/', '1', false, 1, '{{}}', repeat('x', 60), 100, 'full', {ID}, {ID}, '[]', '{{}}',
    'identity', 'body'
FROM generate_series(%s::bigint, %s::bigint) AS i
"""
ONE_RESPONSE = f"""
INSERT INTO responses (ns_id, id, state, ended_at, finish_reasons, text_start, n_tool_calls,
    tool_names, n_events, body_bytes, body_kept, hash_in, hash_out, headers, trailers, text,
    reasoning, body_encoding, body)
SELECT 1, {ID}, 'complete', now(), '{{}}', '', 0, '{{}}', 0, 1, 'full', {ID}, {ID}, '[]', '[]',
    repeat('y', 60), '', 'identity', 'body'
FROM generate_series(%s::bigint, %s::bigint) AS i
"""
ONE_CALL = f"""
INSERT INTO tool_calls (ns_id, request_id, ordinal, name, arguments)
SELECT 1, {ID}, 0, 'search', '{{}}' FROM generate_series(%s::bigint, %s::bigint) AS i
"""


@pytest.fixture
def first(postgres_home: Home) -> Iterator[Database]:
    """A database as the first version made it."""
    with at_version(postgres_home, "0001") as database:
        yield database


def fill(database: Database, rows: int) -> None:
    with database.raw() as connection:
        connection.execute("SET statement_timeout = 0")
        for statement in (ONE_REQUEST, ONE_RESPONSE, ONE_CALL):
            connection.execute(statement, [1, rows])


def count(database: Database, table: str) -> int:
    with database.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


class Killed(BaseException):
    """Nothing catches it: the next statement is never sent."""


def test_killed_after_any_step_it_goes_on(first: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(first, 50)
    run = Steps.run
    left = 0

    def run_some(steps: Steps, sql: str) -> None:
        nonlocal left
        if not sql.startswith("SET lock_timeout"):
            left -= 1
            if left < 0:
                raise Killed
        run(steps, sql)

    monkeypatch.setattr(Steps, "run", run_some)
    kills = 0
    while True:
        left = kills
        try:
            migrate.upgrade(first)
        except Killed:
            kills += 1
            assert count(first, "requests") == 50
        else:
            break
    assert kills > 20
    assert migrate.status(first).state == "current"
    assert {count(first, table) for table in ("requests", "responses", "tool_calls")} == {50}
    bounds = {part.name.removeprefix(part.table) for part in _partitions(first)}
    assert {name for name in bounds if name.startswith("_before")} == {"_before"}
    _write_and_read(first)


@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_writers_go_on_while_it_runs(postgres_home: Home, rows: int) -> None:
    for _ in range(3):  # a busy machine may hold up one of the processes
        with at_version(postgres_home, "0001") as database:
            stall = _stall(database, rows)
        if stall <= LONGEST_STALL:
            break
    assert stall <= LONGEST_STALL


def _stall(database: Database, rows: int) -> float:
    """By how many seconds a writer stood still for longer than one whom no lock concerns."""
    fill(database, rows)
    with database.raw() as connection:
        connection.execute("CREATE TABLE bystander (number bigint)")
    done = threading.Event()
    numbers = itertools.count(rows + 1)

    def call(connection: psycopg.Connection) -> None:
        number = next(numbers)
        connection.execute(ONE_REQUEST, [number, number])
        connection.execute(ONE_RESPONSE, [number, number])

    def stand_by(connection: psycopg.Connection) -> None:
        connection.execute("INSERT INTO bystander VALUES (1)")

    with ThreadPoolExecutor() as threads:
        calls = threads.submit(_write, database, call, done)
        beside = threads.submit(_write, database, stand_by, done)
        try:
            began = time.monotonic()
            migrate.upgrade(database)
            took = time.monotonic() - began
        finally:
            done.set()
    stalls = calls.result()
    print(f"{rows:,} rows: {took:.1f} s, longest stall {max(stalls):.3f} s of {len(stalls)} calls")
    written = rows + len(stalls)
    assert count(database, "requests") == count(database, "responses") == written
    _write_and_read(database)
    return max(stalls) - max(beside.result())


def _write(
    database: Database, write: Callable[[psycopg.Connection], None], done: threading.Event
) -> list[float]:
    """How long each transaction took, in seconds."""
    took = []
    with database.raw() as connection:
        connection.autocommit = True
        while not done.is_set():
            began = time.monotonic()
            with connection.transaction():
                write(connection)
            took.append(time.monotonic() - began)
            time.sleep(0.002)
    return took


def test_a_lock_held_by_others_is_waited_for(first: Database) -> None:
    with first.raw() as connection:
        connection.execute("LOCK TABLE requests IN ROW EXCLUSIVE MODE")
        migration = threading.Thread(target=migrate.upgrade, args=[first])
        migration.start()
        time.sleep(0.5)
        with first.raw() as another:  # would wait until the lock is given up, which is below
            another.execute("SET lock_timeout = '20 s'")
            another.execute(ONE_REQUEST, [1, 1])
        connection.rollback()
    migration.join()
    assert migrate.status(first).state == "current"


def test_an_empty_database_is_migrated_in_a_second(postgres_home: Home) -> None:
    """Or, on a busy machine, in three times of what 200 tables made by hand take."""
    for _ in range(10):
        name = new_database(postgres_home, "template1")
        with opened(postgres_home, name) as database:
            machine = _seconds(_make_tables, database)
            took = _seconds(migrate.upgrade, database)
        drop_database(postgres_home, name)
        allowed = max(1.0, 3 * machine)
        if took < allowed:
            break
    assert took < allowed


def _seconds(work: Callable[[Database], object], database: Database) -> float:
    began = time.monotonic()
    work(database)
    return time.monotonic() - began


def _make_tables(database: Database) -> None:
    with database.raw() as connection:
        for migration in range(20):
            for table in range(10):
                connection.execute(f"CREATE TABLE by_hand_{migration}_{table} (id int PRIMARY KEY)")
            connection.commit()


def test_this_week_and_the_next_two_are_there(database: Database) -> None:
    now = partitions.epoch_now()
    found = {(part.table, part.epoch) for part in _partitions(database)}
    assert {(table, now + n) for table in HOT for n in range(3)} <= found


@pytest.mark.parametrize("weeks", [-900, -1, 3, 40, 3000], ids=lambda weeks: f"{weeks} weeks")
def test_rows_of_any_week_find_their_place(database: Database, weeks: int) -> None:
    moment = time.time_ns() // 1_000_000 + weeks * WEEK_MS
    request = a_request(id=UUID(int=moment << 80 | 7 << 76 | 2 << 62))
    writer = Writer(database)
    writer.write(
        Batch(
            requests=[request],
            responses=[a_response(request)],
            tool_calls=[a_call(request)],
            events=[an_event(id=request.id)],
        )
    )
    writer.close()
    with database.connect() as connection:
        found = reads.flow(connection, request.id)
        assert found is not None
        assert (found.response is not None, len(found.tool_calls)) == (True, 1)
        assert reads.events(connection)[0].kind == "gap"


def test_a_week_that_was_dropped_is_made_again(database: Database) -> None:
    writer = Writer(database)
    writer.write(whole(a_request()))
    with database.raw() as connection:
        connection.execute(f"DROP TABLE requests_w{partitions.epoch_now()}")
    request = a_request()
    writer.write(whole(request))
    writer.close()
    with database.connect() as connection:
        assert [flow.id for flow in reads.flows(connection)] == [request.id]
        assert reads.events(connection, kind="row_refused") == []


def test_several_may_make_the_same_weeks(database: Database) -> None:
    failures: list[Exception] = []

    def make() -> None:
        with database.raw() as connection:
            connection.autocommit = True
            try:
                partitions.ensure(connection, range(4000, 4010))
            except psycopg.Error as exc:
                failures.append(exc)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_weeks_are_made_beside_readers_and_writers(database: Database) -> None:
    with database.raw() as reader, database.raw() as writer, database.raw() as connection:
        reader.execute("SELECT * FROM requests")
        writer.execute("LOCK TABLE requests, responses IN ROW EXCLUSIVE MODE")
        connection.execute("SET lock_timeout = '20s'")
        partitions.ensure(connection, [5000])
        connection.commit()


def test_the_epoch_of_an_id_is_its_week() -> None:
    assert partitions.epoch_of(new_id()) == partitions.epoch_now()
    assert partitions.epoch_of(UUID(int=(WEEK_MS * 7) << 80)) == 7
    assert partitions.epoch_of(UUID(int=(WEEK_MS * 7 - 1) << 80 | 2**80 - 1)) == 6


def _partitions(database: Database) -> list[partitions.Partition]:
    with database.raw() as connection:
        return partitions.sizes(connection)


def _write_and_read(database: Database) -> None:
    request = a_request()
    writer: Any = Writer(database)
    writer.write(whole(request))
    writer.close()
    with database.connect() as connection:
        assert reads.flow(connection, request.id) is not None
        assert len(reads.flows(connection, limit=5)) > 1


def test_a_page_is_planned_for_few_weeks(database: Database) -> None:
    now = partitions.epoch_now()
    with database.raw() as connection:
        partitions.ensure(connection, range(now + 3, now + 60))
    writer = Writer(database)
    rows = [a_request() for _ in range(100)]
    writer.write(Batch(requests=rows, responses=[a_response(row) for row in rows]))
    writer.close()
    before = UUID(int=rows[-1].id.int + 1)
    with database.connect() as connection:
        plans = _plans(connection, lambda: reads.flows(connection, before=before))
    assert len(plans) == 1
    assert f"_w{now + 2}" not in plans[0]
    assert "Append" in plans[0]
    assert "Sort Key: r_" not in plans[0]


def test_flows_are_looked_for_in_the_weeks_of_their_session(database: Database) -> None:
    now = partitions.epoch_now()
    with database.raw() as connection:
        partitions.ensure(connection, range(now + 3, now + 60))
    writer = Writer(database)
    request = a_request()
    writer.write(Batch(requests=[request], responses=[a_response(request)]))
    writer.close()
    with database.connect() as connection:
        plans = _plans(connection, lambda: reads.flows(connection, session=request.session_id))
        by_id = _plans(connection, lambda: reads.flows_by_id(connection, [request.id]))
    assert len(plans) == 2
    assert f"_w{now + 5}" not in plans[1] + by_id[0]


def _plans(connection: Connection, read: Callable[[], list[Flow]]) -> list[str]:
    """Of the statements by which something is read; there must be something."""
    with statements_of(connection) as statements:
        assert read()
    return [
        "\n".join(connection.exec_driver_sql(f"EXPLAIN {sql}", values).scalars())
        for sql, values in statements
    ]


def test_a_short_page_goes_on_with_what_is_older(database: Database) -> None:
    writer = Writer(database)
    moments = [time.time_ns() // 1_000_000 - weeks * WEEK_MS for weeks in range(9)]
    rows = [a_request(id=UUID(int=moment << 80 | 7 << 76 | 2 << 62)) for moment in moments]
    writer.write(Batch(requests=rows, responses=[a_response(row) for row in rows]))
    writer.close()
    expected = [row.id for row in rows]
    with database.connect() as connection:
        assert [flow.id for flow in reads.flows(connection)] == expected
        assert {flow.state for flow in reads.flows(connection)} == {"complete"}
        assert [flow.id for flow in reads.flows(connection, limit=5)] == expected[:5]
        for number in range(9):
            older = reads.flows(connection, before=rows[number].id, limit=3)
            assert [flow.id for flow in older] == expected[number + 1 : number + 4]
