"""Minutes of kills; run by `make soak`."""

import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from llmproxy_core.errors import StoreError
from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.embedded import EmbeddedServer
from llmproxy_core.store.writer import Writer
from tests.store import processes
from tests.store.flows import a_request

SECONDS = 60.0

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def write_until(stop: float, database: Database, name: str, sent: dict[str, int]) -> None:
    """As the worker does: after a failure, ask how far the store is."""
    writer = Writer(database)
    number = 0
    while time.monotonic() < stop:
        number += 1
        offset = OffsetRow(name, 1, number, 1, 0)
        batch = Batch(requests=[a_request() for _ in range(20)], offsets=[offset])
        while True:
            try:
                if writer.offsets().get(name) != offset:
                    writer.write(batch)
                break
            except StoreError:
                time.sleep(0.05)
    sent[name] = number * 20
    writer.close()


def kill_somebody(home: Home) -> None:
    try:
        victims = [*processes.supervisors(home)[:1], processes.postmaster(home)]
        processes.kill(*random.sample(victims, random.randint(1, len(victims))))
    except (FileNotFoundError, ProcessLookupError):
        return  # it is just being started


def test_nothing_is_lost_and_nothing_is_stored_twice_while_the_server_is_killed() -> None:
    sent: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        with Database(server=EmbeddedServer(home, grace=0.5)) as database:
            database.reconnect()
            migrate.upgrade(database)
            stop = time.monotonic() + SECONDS
            threads = [
                threading.Thread(target=write_until, args=(stop, database, name, sent))
                for name in ("one", "two")
            ]
            for thread in threads:
                thread.start()
            while time.monotonic() < stop - 2:
                time.sleep(random.uniform(0.2, 1.5))
                kill_somebody(home)
            for thread in threads:
                thread.join()
            with database.connect() as connection:
                stored = connection.exec_driver_sql("SELECT count(*) FROM requests").scalar_one()
                told = connection.exec_driver_sql("SELECT count(*) FROM analytics_events")
                assert (stored, told.scalar_one()) == (sum(sent.values()), 0)
        processes.wait_until_nothing_runs(home)
