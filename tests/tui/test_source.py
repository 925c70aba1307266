"""The source of the screens, on a real database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.database import Database, driver
from llmproxy_core.tui import source
from llmproxy_core.tui.source import StoreSource
from tests.tui.stage import PATIENCE


def opened(database: Database) -> StoreSource:
    found = StoreSource(lambda: Database(database.url))
    found.open()
    return found


def test_what_is_being_read_is_waited_for_so_that_no_connection_stays_open(
    database: Database,
) -> None:
    found, reading, go_on = opened(database), threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as threads:

        def slowly(connection: Connection) -> psycopg.Connection[Any]:
            reading.set()
            assert go_on.wait(PATIENCE)
            return driver(connection)

        answer = threads.submit(found.read, slowly)
        assert reading.wait(PATIENCE)
        closed = threads.submit(found.close)
        with pytest.raises(TimeoutError):
            closed.result(0.3)
        with pytest.raises(DatabaseUnavailable):
            found.events(limit=1)
        go_on.set()
        closed.result(PATIENCE)
        assert answer.result(PATIENCE).closed


def test_one_that_takes_too_long_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CLOSE_SECONDS", 0.1)
    found = opened(database)
    with ThreadPoolExecutor(1) as threads, found.database():
        threads.submit(found.close).result(PATIENCE)
