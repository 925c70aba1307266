"""A real Postgres for tests: one embedded server a run, one database a test, made from a template.

A suite uses it by importing the fixtures in its conftest:

    from tests.postgres import database, postgres_home  # noqa: F401

or, to run on the embedded Postgres and on PostgreSQL 15, the oldest that is supported:

    from tests.postgres import both_homes as postgres_home, database  # noqa: F401

`database` is a migrated, empty `Database`. Processes under test get at it by
`LLMPROXY_DATABASE_URL=database.url`.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.account import account_for
from llmproxy_core.store.database import DEFAULTS, Database
from llmproxy_core.store.embedded import EmbeddedServer, stop

TEMPLATE = "migrated"
OLDEST = "15"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Home]:
    """A home whose embedded server holds the template."""
    with _embedded() as home:
        yield home


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("postgres_15", marks=pytest.mark.system)]
)
def both_homes(request: pytest.FixtureRequest) -> Iterator[Home]:
    """As `postgres_home`; with `make test-system` on PostgreSQL 15, too."""
    if request.param == "embedded":
        with _embedded() as home:
            yield home
    elif (binaries := old_binaries()) is None:
        pytest.skip("no PostgreSQL 15 is installed: install postgresql-15 to run this on it, too")
    else:
        with postgres_15(binaries) as home:
            yield home


def old_binaries() -> Path | None:
    """The folder with the programs of PostgreSQL 15."""
    folder = Path("/usr/lib/postgresql", OLDEST, "bin")
    if folder.is_dir() or (config := shutil.which("pg_config")) is None:
        return folder if folder.is_dir() else None
    told = subprocess.run([config, "--version"], capture_output=True, text=True).stdout
    if f" {OLDEST}." not in told:
        return None
    bindir = subprocess.run([config, "--bindir"], capture_output=True, text=True).stdout
    return Path(bindir.strip())


@contextmanager
def _embedded() -> Iterator[Home]:
    with _patient(), tempfile.TemporaryDirectory(prefix="llmproxy-test-") as folder:
        home = Home(Path(folder))
        server = EmbeddedServer(home, grace=0.5)
        try:
            server.ensure()
            _make_template(home)
            yield home
        finally:
            server.close()
            stop(home)


@contextmanager
def postgres_15(binaries: Path) -> Iterator[Home]:
    """A PostgreSQL 15 with the template, its socket where that of the embedded server would be."""
    account = account_for(Path("/nonexistent"))
    who: dict[str, Any] = (
        {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    )
    with _patient(), tempfile.TemporaryDirectory(prefix="llmproxy-test-") as folder:
        home = Home(Path(folder))
        Path(folder).chmod(0o755)
        home.postgres.mkdir(mode=0o700)
        if account:
            os.chown(home.postgres, account.uid, account.gid)
        data = str(home.postgres)
        make = [str(binaries / "initdb"), "-D", data, "-U", "llmproxy", "--auth=trust", "--no-sync"]
        quiet: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, **who}
        subprocess.run([*make, "--encoding=UTF8", "--locale=C"], check=True, **quiet)
        run = [str(binaries / "postgres"), "-D", data, "-k", data, "-h", "", "-F", "-c", "jit=off"]
        server = subprocess.Popen([*run, "-N", "200"], stderr=subprocess.DEVNULL, **quiet)
        try:
            _wait(home)
            _make_template(home)
            yield home
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for its clients
            server.wait(timeout=60)


@contextmanager
def _patient() -> Iterator[None]:
    """A busy machine may let a server stand still for longer than a program waits for it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(DEFAULTS, "connect_timeout", "60")
        yield


def _wait(home: Home) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with opened(home, "postgres") as postgres:
                postgres.raw().close()
            return
        except DatabaseUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _make_template(home: Home) -> None:
    _execute(home, f"CREATE DATABASE {TEMPLATE}")
    with opened(home, TEMPLATE) as template:
        migrate.upgrade(template)


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
    """Again, where those who use a database take longer to go than Postgres waits for them, or
    Postgres itself stands still."""
    deadline = time.monotonic() + 60
    with opened(home, "postgres") as postgres:
        while True:
            try:
                with postgres.raw() as connection:
                    connection.autocommit = True
                    connection.execute(statement)
                    return
            except (DatabaseUnavailable, psycopg.errors.ObjectInUse):
                if time.monotonic() > deadline:
                    raise


@contextmanager
def at_version(home: Home, version: str) -> Iterator[Database]:
    """A database of its own, as a migration has left it."""
    name = new_database(home, "template1")
    with opened(home, name) as database:
        with database.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(migrate.folder()))
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            connection.commit()
        yield database
    drop_database(home, name)
