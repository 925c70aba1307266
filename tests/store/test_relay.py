import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from uuid import UUID

import pytest

from llmproxy_core.store import notify, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.notify import Change
from llmproxy_core.store.relay import Relay, listen
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, whole

type Watcher = tuple[Relay, Queue[Change]]


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    found = Writer(database)
    yield found
    found.close()


@pytest.fixture
def watch(database: Database, tmp_path: Path) -> Iterator[Callable[[], Watcher]]:
    relays: list[Relay] = []

    def read(ids: list[UUID]) -> list[Flow]:
        with database.connect() as connection:
            return reads.flows_by_id(connection, ids)

    def begin() -> Watcher:
        heard: Queue[Change] = Queue()
        relay = listen(database, tmp_path, read, heard.put)
        assert isinstance(relay, Relay)
        relays.append(relay)
        assert heard.get(timeout=60).overflow
        return relay, heard

    yield begin
    for relay in reversed(relays):
        relay.close()


def named(heard: Queue[Change], ids: set[UUID], seconds: float = 60) -> set[UUID]:
    """Those of `ids` that a watcher hears of; all of them once it has to look for itself."""
    found: set[UUID] = set()
    deadline = time.monotonic() + seconds
    while not ids <= found and time.monotonic() < deadline:
        change = heard.get(timeout=seconds)
        found |= set(change.started)
    return found & ids


def test_one_listens_and_tells_the_others_with_the_rows(
    watch: Callable[[], Watcher], writer: Writer, database: Database
) -> None:
    watchers = [watch() for _ in range(5)]
    assert [relay.teller for relay, _ in watchers] == [True, False, False, False, False]
    request = a_request()
    writer.write(whole(request))
    for _, heard in watchers:
        change = heard.get(timeout=60)
        assert change.started == change.ended == [request.id]
        (flow,) = change.flows
        assert (flow.id, flow.state, flow.model) == (request.id, "complete", "gpt-4o-2024-11-20")
    with database.raw() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE query = %s AND datname = current_database()",
            [notify.WATCH],
        ).fetchone()
    assert found == (1,)


def test_when_the_teller_goes_another_one_takes_its_place(
    watch: Callable[[], Watcher], writer: Writer
) -> None:
    (first, _), (second, heard) = watch(), watch()
    first.close()
    assert heard.get(timeout=60).overflow
    assert second.teller
    request = a_request()
    writer.write(Batch(requests=[request]))
    assert heard.get(timeout=60).started == [request.id]


def test_a_listener_that_was_away_misses_nothing(
    watch: Callable[[], Watcher], writer: Writer, database: Database
) -> None:
    watchers = [watch() for _ in range(3)]
    stored: list[UUID] = []
    for n in range(60):
        writer.write(Batch(requests=[request := a_request()]))
        stored.append(request.id)
        if n % 20 == 10:
            _terminate_listeners(database)
        time.sleep(0.01)
    for _, heard in watchers:
        assert _known(database, heard, set(stored)) == set(stored)


def _terminate_listeners(database: Database) -> None:
    with database.raw() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query = %s AND datname = current_database()",
            [notify.WATCH],
        )


def _known(database: Database, heard: Queue[Change], wanted: set[UUID]) -> set[UUID]:
    """What a screen knows in the end: what it was told, and what it read at an overflow."""
    known: set[UUID] = set()
    deadline = time.monotonic() + 60
    while not wanted <= known and time.monotonic() < deadline:
        change = heard.get(timeout=60)
        known |= set(change.started)
        if change.overflow:
            with database.connect() as connection:
                known |= {flow.id for flow in reads.flows(connection, limit=1000)}
    return known


def test_in_a_folder_with_too_long_a_name_each_listens_for_itself(
    database: Database, tmp_path: Path
) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    heard: Queue[Change] = Queue()
    listener = listen(database, deep, lambda ids: [], heard.put)
    assert isinstance(listener, notify.Listener)
    assert heard.get(timeout=60).overflow
    listener.close()
