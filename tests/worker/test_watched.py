"""The worker hurries, and writes open answers down, only while somebody watches."""

import time

import psycopg
import pytest

from llmproxy_core.store.notify import WATCH, Listener
from llmproxy_core.store.writer import Writer
from tests.worker.processes import wait_for, worker
from tests.worker.traffic import Call, append, chat_stream


@pytest.fixture
def writer(database):
    made = Writer(database)
    yield made
    made.close()


def text_so_far(database) -> str:
    with database.raw() as connection:
        rows = connection.execute("SELECT text FROM stream_deltas ORDER BY seq").fetchall()
    return "".join(row[0] for row in rows)


def test_a_listener_is_known_as_long_as_it_is_connected(database, writer):
    assert not writer.watched()
    listener = Listener(database, lambda change: None)
    wait_for(writer.watched, "the listener is not seen")
    listener.close()
    wait_for(lambda: not writer.watched(), "the listener is still seen")


def test_any_session_may_say_that_it_watches(database, writer):
    with psycopg.connect(database.url) as connection:
        connection.execute(WATCH)
        assert writer.watched()
    wait_for(lambda: not writer.watched(), "the session is still seen")


def test_an_open_answer_appears_when_somebody_comes(home, journal, database):
    call = Call(1, pieces=chat_stream("Hello", " world"))
    with worker(home, database.url) as process:
        wait_for(lambda: "storing into" in process.log, "the worker does not start")
        append(journal, call.records()[:4])
        journal.wake()
        with database.raw() as connection:
            connection.autocommit = True
            count = "SELECT count(*) FROM requests"
            wait_for(lambda: connection.execute(count).fetchone() == (1,), "no row")
        time.sleep(0.3)
        assert text_so_far(database) == ""
        listener = Listener(database, lambda change: None)
        wait_for(lambda: text_so_far(database) == "Hello world", "no text")
        append(journal, call.records()[4:])
        journal.wake()
        wait_for(lambda: text_so_far(database) == "", "the text stays")
        listener.close()
        process.end()
