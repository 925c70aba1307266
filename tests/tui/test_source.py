"""The source of the screens, on a real database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.database import Database, driver
from llmproxy_core.tui.source import StoreSource
from tests.tui.stage import PATIENCE


def opened(database: Database) -> StoreSource:
    found = StoreSource(lambda: Database(database.url))
    found.open()
    return found


def test_what_is_being_read_is_not_waited_for_and_leaves_no_connection_open(
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
        threads.submit(found.close).result(PATIENCE / 2)
        with pytest.raises(DatabaseUnavailable):
            found.events(limit=1)
        go_on.set()
        assert answer.result(PATIENCE).closed


def test_what_connects_only_after_the_end_leaves_no_connection_open(database: Database) -> None:
    found = opened(database)
    with found.database() as still:
        found.close()
        with still.connect() as connection:
            used = driver(connection)
    assert used.closed
