"""A long session grows with what is new in it. `python -m benchmarks.storage` has the numbers."""

import pytest

from benchmarks.storage import measure, rebuild
from llmproxy_core.config import Config, DatabaseConfig
from llmproxy_core.home import Home, private_folder
from tests.postgres import drop_database, new_database, opened

PER_CALL = 5500
"""Bytes that a call of the session may take, all tables and indexes included."""


@pytest.fixture
def stored(postgres_home, tmp_path):
    names = []

    def store(turns: int):
        names.append(name := new_database(postgres_home))
        home = Home(tmp_path / name)
        private_folder(home.path)
        private_folder(home.spool)
        with opened(postgres_home, name) as database:
            config = Config(database=DatabaseConfig(url=database.url))
            measured = measure(home, config, database, turns, subagents=turns // 10)
            times = list(rebuild(database, measured, 1000))
        return measured, times

    yield store
    for name in names:
        drop_database(postgres_home, name)


def test_a_session_of_twice_the_turns_takes_twice_the_space(stored):
    short, _ = stored(30)
    long, times = stored(60)
    assert len(times) == long.calls  # all of them came back, byte for byte
    assert long.stored / long.calls < PER_CALL
    assert long.stored < 2.1 * short.stored + 100_000  # what comes in whole pages
    assert long.ratio > 25
