import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from llmproxy_core.config import Config, DatabaseConfig
from llmproxy_core.errors import ConfigError, DatabaseTooOld, DatabaseUnavailable, SchemaError
from llmproxy_core.home import Home
from llmproxy_core.store import database as database_module
from llmproxy_core.store import embedded, migrate, reads
from llmproxy_core.store.database import Database, driver, open_database
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, whole

OLD = Path("/usr/lib/postgresql/15/bin")
SECRET = "hunter2-and-more"


@pytest.fixture
def postgres_15() -> Iterator[str]:
    """A PostgreSQL 15 on a free port of the loopback; its URL."""
    if not OLD.is_dir():
        pytest.skip(f"{OLD} is missing: install postgresql-15 to run this test")
    account: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder, socket.socket() as reserved:
        Path(folder).chmod(0o755)
        data = Path(folder, "data")
        data.mkdir(mode=0o700)
        if account:
            shutil.chown(data, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        (password := Path(folder, "password")).write_text(SECRET)
        password.chmod(0o644)
        command = [OLD / "initdb", "-D", data, "-U", "me", "-A", "scram-sha-256"]
        subprocess.run(
            [*map(str, command), f"--pwfile={password}", "--no-sync"], cwd="/", check=True,
            stdout=subprocess.DEVNULL, **account,
        )  # fmt: skip
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        server = subprocess.Popen(
            [OLD / "postgres", "-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"],
            cwd="/", stderr=subprocess.DEVNULL, **account,
        )  # fmt: skip
        url = f"postgresql://me:{SECRET}@127.0.0.1:{port}/postgres"
        try:
            _wait(url)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def configured(url: str) -> Config:
    return Config(database=DatabaseConfig(url=url))


def test_an_external_postgresql_15_does_all_of_it(postgres_15: str, tmp_path: Path) -> None:
    with open_database(configured(postgres_15), Home(tmp_path)) as database:
        assert not database.embedded
        assert SECRET not in database.where + database.url
        assert migrate.upgrade(database).state == "current"
        writer = Writer(database)
        writer.write(whole(request := a_request()))
        writer.close()
        with database.connect() as connection:
            found = reads.flow(connection, request.id)
        assert found is not None
        assert found.request == request
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_password_is_not_repeated(postgres_15: str, tmp_path: Path) -> None:
    wrong = postgres_15.replace(SECRET, "wrong-secret")
    with pytest.raises(DatabaseUnavailable) as told:
        open_database(configured(wrong), Home(tmp_path))
    assert "password authentication failed" in str(told.value)
    assert "wrong-secret" not in str(told.value)


def test_an_old_server_is_refused(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "OLDEST", 99)
    with pytest.raises(DatabaseTooOld, match="llmproxy needs 99 or later"):
        open_database(configured(database.url), Home(tmp_path))


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"postgres on 127\.0\.0\.1, port 1 does not"):
        open_database(configured(f"postgresql://me:{SECRET}@127.0.0.1:1/postgres"), Home(tmp_path))


def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        open_database(configured(f"postgresql://me:{SECRET}@host:bad:port/x?y"), Home(tmp_path))
    assert SECRET not in str(told.value)
    assert "postgresql://user:password@host" in str(told.value)


def test_without_a_url_the_embedded_server_is_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with open_database(configured(""), home, application_name="llmproxy tui") as database:
        assert database.embedded
        with database.connect() as connection:
            name = connection.exec_driver_sql("SHOW application_name").scalar_one()
        assert name == "llmproxy tui"
        with psycopg.connect(database.url) as connection:
            assert connection.info.dbname == "llmproxy"
    embedded.stop(home)


def sleep(database: Database) -> None:
    with database.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = '50ms'")
        connection.exec_driver_sql("SELECT pg_sleep(10)")


def test_a_query_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        sleep(database)


def test_a_missing_table_says_what_to_do(database: Database) -> None:
    with database.raw() as raw:
        raw.execute("DROP TABLE sessions")
    with (
        pytest.raises(SchemaError, match="llmproxy db upgrade"),
        database.connect() as connection,
    ):
        reads.sessions(connection)


def test_a_broken_pooled_connection_is_replaced(database: Database) -> None:
    with database.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with database.raw() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])  # and wait for its end
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_connection_that_is_not_lost_is_used_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(database_module, "UNTESTED_SECONDS", seconds)
    pids = set()
    for _ in range(3):
        with database.connect() as connection:
            reads.flows(connection)
            pids.add(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    assert len(pids) == 1


def lose(database: Database) -> None:
    with database.connect() as connection:
        reads.flows(connection)
        with database.raw() as other:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])  # and wait for its end
        reads.flows(connection)


def test_a_read_whose_connection_is_lost_says_so_and_the_next_one_has_another(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DatabaseUnavailable, match="terminating connection"):
        lose(database)
    with database.connect() as connection:
        assert reads.flows(connection) == []
    assert caplog.records == []


def test_reads_hold_no_locks_once_they_are_answered(database: Database) -> None:
    with database.connect() as connection, database.raw() as other:
        reads.flows(connection)
        held = other.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()"
            " AND relation = 'requests'::regclass"
        ).fetchone()
    assert held == (0,)


def test_a_transaction_that_is_not_committed_is_rolled_back(database: Database) -> None:
    with database.connect(transaction=True) as connection:
        connection.exec_driver_sql("DELETE FROM namespaces")
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM namespaces").scalar_one() == 1


type Drop = Callable[[Database], None]
both_drops = pytest.mark.parametrize("drop", [Database.reconnect, Database.close])


@both_drops
def test_a_connection_in_use_while_others_are_dropped_is_closed_when_it_is_given_back(
    database: Database, drop: Drop
) -> None:
    with ThreadPoolExecutor(1) as thread:
        with database.connect() as connection:
            thread.submit(drop, database).result()
            assert reads.flows(connection) == []
            used = driver(connection)
        assert used.closed


@both_drops
def test_a_connection_that_is_just_being_given_back_is_dropped_with_the_others(
    database: Database, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = QueuePool._do_return_conn

    def drop_and_keep(pool: QueuePool, record: ConnectionPoolEntry) -> None:
        drop(database)
        keep(pool, record)

    monkeypatch.setattr(QueuePool, "_do_return_conn", drop_and_keep)
    with database.connect() as connection:
        used = driver(connection)
    assert used.closed


def test_after_a_reconnect_connections_are_kept_again(database: Database) -> None:
    database.reconnect()
    used = set()
    for _ in range(2):
        with database.connect() as connection:
            used.add(driver(connection))
    assert [one.closed for one in used] == [False]


def test_a_closed_database_keeps_no_connection(database: Database) -> None:
    database.close()
    with database.connect() as connection:
        used = driver(connection)
    assert used.closed


def test_no_connection_stays_open_however_reads_and_drops_meet(database: Database) -> None:
    made: list[psycopg.Connection[Any]] = []
    event.listen(database.engine, "connect", lambda driver, _: made.append(driver))

    def read(_: int) -> None:
        with database.connect() as connection:
            reads.flows(connection)

    with ThreadPoolExecutor(8) as threads:
        done = threads.map(read, range(200))
        for _ in range(20):
            database.reconnect()
        database.close()
        assert len(list(done)) == 200
    assert len(made) > 8
    assert all(one.closed for one in made)
