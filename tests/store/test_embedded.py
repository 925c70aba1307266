import itertools
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from llmproxy_core.errors import DatabaseUnavailable, StoreError
from llmproxy_core.home import Home
from llmproxy_core.store import binaries, cluster, embedded
from llmproxy_core.store.account import account_for
from llmproxy_core.store.database import Database
from llmproxy_core.store.embedded import EmbeddedServer
from tests.store import processes

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")

KILLABLE = ("client", "supervisor", "postgres")
COMBINATIONS = [names for count in (1, 2, 3) for names in itertools.combinations(KILLABLE, count)]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Home]:
    """A home whose server was started once, so that the other tests need no initdb."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        server = EmbeddedServer(home, grace=0.0)
        server.ensure()
        with psycopg.connect(server.conninfo) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        server.close()
        processes.wait_until_nothing_runs(home)
        yield home


@pytest.fixture
def home(prepared: Home) -> Iterator[Home]:
    """A copy of it; whatever a test leaves running is stopped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home"
        subprocess.run(["cp", "-a", str(prepared.path), str(path)], check=True)
        yield Home(path)
        embedded.stop(Home(path))


@pytest.fixture
def server(home: Home) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(home, grace=0.3)
    yield server
    server.close()


def kept(server: EmbeddedServer) -> int:
    with psycopg.connect(server.conninfo) as connection:
        row = connection.execute("SELECT n FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_the_first_client_makes_a_private_database() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        server = EmbeddedServer(home, grace=0.0)
        server.ensure()
        with psycopg.connect(server.conninfo) as connection:
            found = connection.execute(
                "SELECT datlocale, pg_encoding_to_char(encoding), current_setting($$server_version$$)"
                " FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        assert found is not None
        assert found[:2] == ("C.UTF-8", "UTF8")
        assert found[2].startswith("18.")
        assert stat.S_IMODE(home.postgres.stat().st_mode) == 0o700
        server.close()
        processes.wait_until_nothing_runs(home)


def test_the_server_stays_as_long_as_anybody_uses_it(home: Home, server: EmbeddedServer) -> None:
    server.ensure()
    other = EmbeddedServer(home, grace=0.3)
    other.ensure()
    server.close()
    time.sleep(0.8)
    assert kept(other) == 42
    other.close()
    processes.wait_until_nothing_runs(home)


def test_a_client_that_comes_within_the_grace_period_keeps_the_server(home: Home) -> None:
    for grace in (1.0, 5.0, 25.0):  # a slow machine comes too late for the shorter ones
        first = EmbeddedServer(home, grace=grace)
        first.ensure()
        pid = processes.postmaster(home)
        began = time.monotonic()
        first.close()
        time.sleep(0.2)
        second = EmbeddedServer(home, grace=grace)
        second.ensure()
        came = time.monotonic() - began
        time.sleep(max(0.0, grace + 0.2 - came))
        found = (kept(second), processes.postmaster(home))
        second.close()
        if came < grace:
            break
        processes.wait_until_nothing_runs(home)
    assert found == (42, pid)


def test_clients_that_start_at_once_share_one_server(home: Home) -> None:
    clients = [processes.start_client(home) for _ in range(4)]
    for client in clients:
        processes.wait_ready(client)
    processes.wait_for(lambda: len(processes.supervisors(home)) == 1, "there are several")
    for client in clients:
        processes.end(client)
    processes.wait_until_nothing_runs(home)


def test_coming_and_going_at_any_moment_works(home: Home) -> None:
    """Also just while the server is being stopped."""
    for pause in (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
        server = EmbeddedServer(home, grace=0.0)
        server.ensure()
        assert kept(server) == 42
        server.close()
        time.sleep(pause)
    processes.wait_until_nothing_runs(home)


@pytest.mark.parametrize("victims", COMBINATIONS, ids=" and ".join)
def test_after_kill_9_nothing_stays_and_the_next_start_works(
    home: Home, server: EmbeddedServer, victims: tuple[str, ...]
) -> None:
    client = processes.start_client(home)
    processes.wait_ready(client)
    pids = {
        "client": client.pid,
        "supervisor": processes.supervisors(home)[0],
        "postgres": processes.postmaster(home),
    }
    processes.kill(*(pids[name] for name in victims))
    if "client" not in victims:
        time.sleep(0.2)
    processes.end(client)
    processes.wait_until_nothing_runs(home)
    server.ensure()
    assert kept(server) == 42


@pytest.mark.parametrize("victim", ["supervisor", "postgres"])
def test_a_client_that_is_left_alone_gets_its_server_back(
    home: Home, server: EmbeddedServer, victim: str
) -> None:
    with Database(server=server) as database:
        with database.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        pid = processes.postmaster(home)
        found = processes.supervisors(home)[0]
        processes.kill(found if victim == "supervisor" else pid)
        processes.wait_for(
            lambda: _query_works(database) and found not in processes.supervisors(home) != [],
            "no answer after the kill",
        )
    processes.wait_until_nothing_runs(home)


def _query_works(database: Database) -> bool:
    try:
        with database.connect() as connection:
            return bool(connection.exec_driver_sql("SELECT n FROM kept").scalar_one() == 42)
    except DatabaseUnavailable:
        return False


def start_by_hand(home: Home) -> subprocess.Popen[bytes]:
    """A server that is a child of the test."""
    account = account_for(home.postgres)
    programs = binaries.find_binaries(account)
    folder = "/proc/self/cwd" if account else str(home.postgres)
    process = subprocess.Popen(
        [programs.postgres, "-D", folder, "-c", "listen_addresses=", "-k", "."],
        cwd=home.postgres,
        stderr=subprocess.DEVNULL,
        user=account.uid if account else None,
        group=account.gid if account else None,
    )
    processes.wait_for((home.postgres / embedded.SOCKET).exists, "no socket")
    return process


def test_a_killed_server_that_nobody_collects_does_not_block_the_next(
    home: Home, server: EmbeddedServer
) -> None:
    process = start_by_hand(home)
    process.kill()
    server.ensure()
    assert kept(server) == 42
    process.wait()


def test_a_server_without_supervisor_is_adopted(home: Home, server: EmbeddedServer) -> None:
    """As it is left where the kernel does not stop the children of a killed process."""
    process = start_by_hand(home)
    server.ensure()
    assert (kept(server), processes.postmaster(home)) == (42, process.pid)
    processes.wait_for(lambda: bool(processes.supervisors(home)), "no supervisor")
    server.close()
    assert process.wait(timeout=60) == 0
    processes.wait_until_nothing_runs(home)


def test_the_environment_of_the_first_client_stays_its_own(
    home: Home, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PGPORT", "1234")
    server.ensure()
    assert kept(server) == 42
    for pid in (processes.postmaster(home), *processes.supervisors(home)):
        assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_what_was_closed_does_not_start_again(home: Home, server: EmbeddedServer) -> None:
    server.close()
    with pytest.raises(DatabaseUnavailable, match="was closed"):
        server.ensure()
    assert processes.servers(home) == []


def test_it_can_be_stopped_while_somebody_uses_it(home: Home, server: EmbeddedServer) -> None:
    assert not embedded.stop(home)
    server.ensure()
    assert embedded.stop(home)
    assert processes.servers(home) == []
    server.ensure()
    assert kept(server) == 42


def test_a_stranger_in_the_place_of_the_socket_is_not_spoken_to(tmp_path: Path) -> None:
    server = EmbeddedServer(Home(tmp_path / ("long" * 40)))
    server.data.mkdir(parents=True)
    folder = server._socket_folder()
    try:
        for stranger in (
            lambda: folder.mkdir(mode=0o777),
            lambda: folder.symlink_to(tmp_path),
            folder.touch,
        ):
            stranger()
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o777)
            with pytest.raises(StoreError, match="not a private folder of ours"):
                server.ensure()
            with pytest.raises(StoreError, match="not a private folder of ours"):
                Database(server=server).raw()
            folder.rmdir() if not folder.is_symlink() and folder.is_dir() else folder.unlink()
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_home_with_a_long_path_works(prepared: Home) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, *["deep" * 10] * 5)
        path.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", str(prepared.path), str(path)], check=True)
        server = EmbeddedServer(Home(path), grace=0.0)
        server.ensure()
        assert kept(server) == 42
        sockets = server._socket_folder()
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        server.close()
        processes.wait_until_nothing_runs(Home(path))
        shutil.rmtree(sockets)


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir(mode=0o777)
    (tmp_path / "sockets").chmod(0o777)
    with pytest.raises(StoreError, match="not a private folder of ours"):
        cluster.own_folder(tmp_path / "sockets", None)


def test_a_data_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter.txt").write_text("mine")
    server = EmbeddedServer(Home(tmp_path))
    with pytest.raises(StoreError, match="not empty and not a Postgres data folder"):
        server.ensure()
    server.close()


def test_data_of_another_version_is_named(home: Home, server: EmbeddedServer) -> None:
    (home.postgres / "PG_VERSION").write_text("17\n")
    with pytest.raises(StoreError, match=r"PostgreSQL 17, and this llmproxy brings 18"):
        server.ensure()


def test_a_server_that_cannot_start_shows_its_log(
    home: Home, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "FAILED_STARTS", 2)
    (home.postgres / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseUnavailable, match="pg_control"):
        server.ensure()


@root_only
def test_root_runs_it_as_somebody_else_behind_a_closed_door(
    home: Home, server: EmbeddedServer
) -> None:
    home.path.parent.chmod(0o700)
    server.ensure()
    assert Path(f"/proc/{processes.postmaster(home)}").stat().st_uid != 0
    assert home.path.parent.stat().st_uid == 0


@root_only
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_a_normal_user_runs_it_as_himself() -> None:
    """`nobody`, who may read everything here so that he reaches this Python."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "home")
        path.mkdir(mode=0o700)
        os.chown(path, 65534, 65534)
        rights = "+dac_read_search"
        client = processes.start_client(
            Home(path), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            f"--inh-caps={rights}", f"--ambient-caps={rights}",
        )  # fmt: skip
        processes.wait_ready(client)
        assert Path(f"/proc/{processes.postmaster(Home(path))}").stat().st_uid == 65534
        processes.end(client)
        processes.wait_until_nothing_runs(Home(path))


@root_only
def test_programs_that_the_account_cannot_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = Path(tempfile.mkdtemp())
    real = binaries._package()
    (private / real.name).symlink_to(real)
    libraries = real.with_name(f"{real.name}.libs")
    (private / libraries.name).symlink_to(libraries)
    monkeypatch.setattr(binaries, "_package", lambda: private / real.name)
    account = account_for(tmp_path / "none")
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)
        found = binaries.find_binaries(account, Path(shared))
        inode = Path(found.postgres).stat().st_ino
        again = binaries.find_binaries(account, Path(shared))
        assert Path(again.postgres).stat().st_ino == inode
        assert found.folder.is_relative_to(shared)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    shutil.rmtree(private)
