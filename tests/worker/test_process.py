"""Real worker processes and real Postgres: killed, late, two at once."""

import os
import signal
import threading
import time
from contextlib import suppress
from urllib.parse import quote

import pytest
from sqlalchemy import text

from llmproxy_core.config import Config, DatabaseConfig
from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.home import Home, private_folder
from llmproxy_core.spool import SpoolWriter, readers
from llmproxy_core.store.database import open_database
from llmproxy_core.store.embedded import EmbeddedServer, stop
from llmproxy_core.store.migrate import upgrade
from tests.store.processes import postmaster, wait_until_nothing_runs
from tests.worker.processes import wait_for, worker
from tests.worker.traffic import NOON, SECOND, Call, append, chat_stream

pytestmark = pytest.mark.system

TABLES = ("requests", "responses")
AHEAD = 300
"""Calls that are made before they are stored: a slow machine stores fewer of them a second."""


def counts(database) -> tuple[int, ...]:
    with database.connect() as connection:
        return tuple(connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES)


def wait_for_more(database, rows: int, load: "Load") -> None:
    def more() -> bool:
        try:
            load.stored = counts(database)[1]
        except DatabaseUnavailable:  # the test has just killed it
            return False
        return load.stored > rows

    wait_for(more, f"no more than {rows} are stored", 120)


class Load(threading.Thread):
    """Calls, as fast as one every 2 ms; half of them streams."""

    def __init__(self, journal: SpoolWriter) -> None:
        super().__init__()
        self.journal = journal
        self.sent = self.stored = 0
        self.going = True

    def run(self) -> None:
        while self.going:
            time.sleep(0.002)
            if self.sent > self.stored + AHEAD:
                continue
            self.sent += 1
            pieces = chat_stream("one", "two") if self.sent % 2 else None
            for record in Call(self.sent, NOON + self.sent * SECOND, pieces=pieces).records():
                append(self.journal, [record])
                self.journal.wake()

    def stop(self) -> int:
        self.going = False
        self.join()
        return self.sent


def test_a_child_stores_what_is_left_and_ends_with_its_proxy(home, database):
    journal = SpoolWriter(home.spool)
    with worker(home, database.url) as child:
        append(journal, Call(1).records())
        append(journal, Call(2, pieces=chat_stream("cut")).records()[:-1])
        journal.close()
        assert child.end() == 0
        assert "died with 1 call under way" in child.log
    assert counts(database) == (2, 2)
    assert readers(home.spool) == []


UNWOKEN = """
import sys
from llmproxy_core.worker import __main__, watch
watch.Watch.wait.__defaults__ = (600.0,)
sys.exit(__main__.main())
"""


def test_a_worker_that_is_woken_stores_at_once(home, journal, database):
    """Not when it looks by itself."""
    with worker(home, database.url, program=UNWOKEN):
        append(journal, Call(0).records())
        wait_for(lambda: counts(database) == (1, 1), "the first call is not stored")
        append(journal, Call(1, NOON + SECOND).records())
        journal.wake()
        wait_for(lambda: counts(database) == (2, 2), "the second call is not stored")


def test_a_worker_killed_under_load_loses_and_repeats_nothing(home, journal, database):
    load = Load(journal)
    load.start()
    try:
        for number in range(4):
            with worker(home, database.url):
                wait_for_more(database, 60 * number, load)
                time.sleep(0.05 * number)
    finally:
        sent = load.stop()
    journal.close()
    with worker(home, database.url) as child:
        assert child.end() == 0
    assert counts(database) == (sent, sent)
    with database.connect() as connection:
        assert connection.scalar(text("SELECT sum(requests) FROM sessions")) == sent
        assert connection.scalar(text("SELECT sum(responses) FROM sessions")) == sent
        assert connection.scalar(text("SELECT count(*) FROM stream_deltas")) == 0
        assert connection.scalar(text("SELECT count(*) FROM analytics_events")) == 0


def test_sigterm_ends_it_with_status_0(home, journal, database):
    append(journal, Call(1).records())
    with worker(home, database.url) as child:
        wait_for(lambda: counts(database) == (1, 1), "the call is not stored")
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(60) == 0


def test_once_stores_what_is_there_and_ends(home, journal, database):
    append(journal, Call(1).records())
    with worker(home, database.url, "--once") as child:
        assert child.process.wait(60) == 0
    assert counts(database) == (1, 1)
    assert len(readers(home.spool)) == 1  # its proxy still runs


def test_a_second_worker_waits_for_its_turn_and_takes_over(home, journal, database):
    with worker(home, database.url) as first, worker(home, database.url) as second:
        wait_for(lambda: "waiting for its end" in first.log, "nobody waits")
        append(journal, Call(1).records())
        wait_for(lambda: counts(database) == (1, 1), "the first call is not stored")
        owner = f"worker[{first.process.pid}] storing into"
        (first if owner in first.log else second).process.kill()
        append(journal, Call(2).records())
        wait_for(lambda: counts(database) == (2, 2), "nobody took over")


def test_a_waiting_worker_ends_with_its_proxy(home, database):
    with worker(home, database.url) as first:
        wait_for(lambda: "storing into" in first.log, "not started")
        with worker(home, database.url) as second:
            wait_for(lambda: "waiting for its end" in second.log, "it does not wait")
            assert second.end() == 0


@pytest.fixture
def embedded(tmp_path):
    """A home whose embedded server the worker starts itself."""
    found = Home(tmp_path / "embedded")
    private_folder(found.path)
    private_folder(found.spool)
    yield found
    stop(found)
    wait_until_nothing_runs(found)


def test_a_postgres_killed_under_load_loses_and_repeats_nothing(embedded):
    journal = SpoolWriter(embedded.spool)
    load = Load(journal)
    with worker(embedded, None) as child, open_database(Config(), embedded) as database:
        upgrade(database)
        load.start()
        try:
            killed = 0
            for number in range(1, 3):
                wait_for_more(database, 100 * number, load)
                killed = kill_postgres(embedded, killed)
        finally:
            sent = load.stop()
        journal.close()
        assert child.end() == 0
        database.reconnect()
        assert counts(database) == (sent, sent)
        assert "the database is back" in child.log


def kill_postgres(home: Home, before: int) -> int:
    """Another than the one that was killed `before`; its pid."""

    def is_new() -> bool:
        with suppress(OSError, IndexError):  # its file is being written
            return postmaster(home) != before
        return False

    wait_for(is_new, "nobody has started Postgres again")
    os.kill(pid := postmaster(home), signal.SIGKILL)
    return pid


def test_a_database_that_is_down_at_the_start_is_awaited(home, journal, embedded):
    url = url_of_home(embedded)
    append(journal, Call(1).records())
    with worker(home, url) as child:
        wait_for(lambda: "Nothing is lost" in child.log, "no warning")
        time.sleep(1.0)
        assert child.log.count("Nothing is lost") == 1
        server = EmbeddedServer(embedded)
        server.ensure()
        with open_database(Config(database=DatabaseConfig(url=url)), home) as database:
            wait_for(lambda: "the database is back" in child.log, "it was not noticed")
            wait_for(lambda: counts(database) == (1, 1), "the call is not stored")
        server.close()


def url_of_home(home: Home) -> str:
    return f"postgresql://llmproxy@/llmproxy?host={quote(str(home.postgres), safe='')}"


IMPATIENT = """
import sys
from llmproxy_core.worker import main, __main__
main.GRACE = 0.5
sys.exit(__main__.main())
"""


def test_without_a_database_it_ends_and_the_rest_waits_in_the_spool(home, embedded):
    journal = SpoolWriter(home.spool)
    append(journal, Call(1).records())
    journal.close()
    with worker(home, url_of_home(embedded), program=IMPATIENT) as child:
        wait_for(lambda: "Nothing is lost" in child.log, "no warning")
        assert child.end() == 1
        assert "the rest waits in the spool" in child.log
    assert len(readers(home.spool)) == 1
