import time
from collections.abc import Iterator
from queue import Queue
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store import notify
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.notify import Change, Listener
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, an_event, whole

ids = st.lists(st.uuids(), max_size=40)


@given(st.builds(Change, started=ids, streamed=ids, ended=ids, events=ids))
def test_a_change_survives_its_payload(change: Change) -> None:
    assert notify.decode(notify.encode(change)) == change


@given(st.integers(0, 2000))
def test_a_payload_is_never_too_long_for_postgres(count: int) -> None:
    payload = notify.encode(Change(started=[UUID(int=number) for number in range(count)]))
    assert len(payload) < 8000
    assert notify.decode(payload).overflow == (count > 360) or 350 < count < 380


@pytest.mark.parametrize("payload", ["", "[]", "nonsense", '{"started": 3}', '{"started": "AA"}'])
def test_a_foreign_payload_means_look_for_yourself(payload: str) -> None:
    assert notify.decode(payload) == Change(overflow=True)


@pytest.fixture
def heard() -> Queue[Change]:
    return Queue()


@pytest.fixture
def listener(database: Database, heard: Queue[Change]) -> Iterator[Listener]:
    listener = Listener(database, heard.put)
    assert heard.get(timeout=60) == Change(overflow=True)
    yield listener
    listener.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.mark.usefixtures("listener")
def test_what_is_written_is_heard(writer: Writer, heard: Queue[Change]) -> None:
    request, event = a_request(), an_event()
    batch = whole(request)
    batch.events = [event]
    assert writer.write(batch) == heard.get(timeout=60)


def test_every_callback_hears_even_if_one_fails(
    listener: Listener, writer: Writer, heard: Queue[Change]
) -> None:
    def broken(change: Change) -> None:
        raise RuntimeError("deaf")

    listener.remove(heard.put)
    listener.add(broken)
    listener.add(heard.put)
    request = a_request()
    writer.write(Batch(requests=[request]))
    assert heard.get(timeout=60).started == [request.id]


@pytest.mark.usefixtures("listener")
def test_it_listens_again_after_the_connection_broke(
    database: Database, writer: Writer, heard: Queue[Change]
) -> None:
    with database.raw() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query = %s AND datname = current_database()",
            [notify.WATCH],
        )
    assert heard.get(timeout=60) == Change(overflow=True)
    request = a_request()
    writer.write(Batch(requests=[request]))
    assert heard.get(timeout=60).started == [request.id]


def test_closing_ends_what_listens(database: Database) -> None:
    listener = Listener(database)
    listener.close()
    listener.close()
    listener._thread.join(60)
    assert not listener._thread.is_alive(), "it still waits for what is written"
    away = Listener(Database("host=/nonexistent"))
    time.sleep(0.05)
    away.close()
