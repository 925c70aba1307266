"""A real Postgres for tests: one embedded server a run, one database a test, made from a template.

A suite uses it by importing the fixtures in its conftest:

    from tests.postgres import database, postgres_home  # noqa: F401

`database` is a migrated, empty `Database`. Processes under test get at it by
`LLMPROXY_DATABASE_URL=database.url`.
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.database import Database
from llmproxy_core.store.embedded import EmbeddedServer, stop

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Home]:
    """A home whose embedded server holds the template."""
    with tempfile.TemporaryDirectory(prefix="llmproxy-test-") as folder:
        home = Home(Path(folder))
        server = EmbeddedServer(home, grace=0.5)
        try:
            server.ensure()
            _execute(home, f"CREATE DATABASE {TEMPLATE}")
            with opened(home, TEMPLATE) as template:
                migrate.upgrade(template)
            yield home
        finally:
            server.close()
            stop(home)


@pytest.fixture
def database(postgres_home: Home) -> Iterator[Database]:
    """A database of its own, migrated and empty."""
    name = new_database(postgres_home)
    with opened(postgres_home, name) as fresh:
        yield fresh
    drop_database(postgres_home, name)


@contextmanager
def opened(home: Home, name: str) -> Iterator[Database]:
    """A `Database` that knows the server as an external one."""
    with Database(f"host={home.postgres} user=llmproxy dbname={name}") as database:
        yield database


def new_database(home: Home, template: str = TEMPLATE) -> str:
    """The name of a copy of `template`."""
    name = f"test_{next(_numbers)}"
    _execute(home, f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def drop_database(home: Home, name: str) -> None:
    _execute(home, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(home: Home, statement: str) -> None:
    with Database(f"host={home.postgres} user=llmproxy dbname=postgres") as postgres:
        connection = postgres.raw()
        try:
            connection.autocommit = True
            connection.execute(statement)
        finally:
            connection.close()
