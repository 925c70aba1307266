"""The embedded Postgres of a home: started by its first client, gone soon after its last.

    postgres/           the data, 0700; the socket is in it
    postgres.clients    every client holds a shared lock; the kernel drops it, however it dies
    postgres.lock       held by the supervisor, who is the parent of the server

Nobody counts clients, so that no kill -9 leaves a wrong count: see `supervisor`.
"""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.home import Home
from llmproxy_core.store import cluster, supervisor
from llmproxy_core.store.account import Account, account_for
from llmproxy_core.store.binaries import Binaries, find_binaries

NAME = cluster.OWNER
PORT = 5432
"""Names the socket; said everywhere, since PGPORT in the environment would change it."""
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_BYTES = 107 if sys.platform == "linux" else 103
GRACE = 3.0
START_SECONDS = 60.0
"""A server that recovers from a crash may need some time."""
FAILED_STARTS = 6

ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""All that the server inherits: it outlives its first client, whose API keys are not its business."""

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "96MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "huge_pages": "off",
    "io_method": "sync",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "client_connection_check_interval": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
    # The log must not repeat what people wrote to their models.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class EmbeddedServer:
    """A client's hold on the server of `home`, from the first `ensure` until `close`.

    `grace`: seconds for which the server outlives its last client.
    """

    def __init__(self, home: Home, grace: float = GRACE) -> None:
        self.data = home.postgres
        self.grace = grace
        self.log = self.data / "server.log"
        self._clients = home.path / "postgres.clients"
        self._lock = home.path / "postgres.lock"
        self._held = -1
        self._closed = False
        self._one_at_a_time = threading.Lock()

    @property
    def conninfo(self) -> str:
        folder = str(self._socket_folder())
        return make_conninfo(host=folder, port=PORT, user=NAME, dbname=NAME)

    def ensure(self) -> None:
        """Return when the server answers; start it if need be.

        Raises:
            DatabaseUnavailable: it does not come up; the text has the end of its log.
            StoreError: it can never come up here, e.g. the data is of another version.
        """
        with self._one_at_a_time:
            if self._closed:
                raise DatabaseUnavailable(f"The embedded Postgres in {self.data} was closed.")
            deadline = time.monotonic() + START_SECONDS
            self._hold(deadline)
            self._wait(deadline)
            self._watch()

    def refuse_stranger(self) -> None:
        """In a folder for all, somebody else may listen under the name of our server.

        Raises:
            StoreError: the folder of the socket is not ours alone.
        """
        folder = self._socket_folder()
        if folder != self.data and folder.exists() and self.data.exists():
            cluster.refuse_stranger(folder, self.data.stat().st_uid)

    def close(self) -> None:
        """Let go, for good: if nobody else holds it, the server stops after the grace period."""
        self._closed = True
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _hold(self, deadline: float) -> None:
        """Waits while a supervisor is stopping the server."""
        if self._held >= 0:
            return
        descriptor = os.open(self._clients, os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise self._unavailable("it is being stopped, and that does not end") from None
                time.sleep(0.02)
            else:
                self._held = descriptor
                return

    def _wait(self, deadline: float) -> None:
        """Until the server answers; whoever finds it without a supervisor starts it."""
        starts = 0
        pause = 0.01
        while (reason := self._connect()) is not None:
            lock = _try_lock(self._lock)
            if lock is not None:
                with os.fdopen(lock, "rb"):
                    if starts == FAILED_STARTS:
                        raise self._unavailable(reason)
                    time.sleep(0.1 * 2**starts - 0.1)
                    starts += 1
                    self._start(lock)
            if time.monotonic() > deadline:
                raise self._unavailable(reason)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def _connect(self) -> str | None:
        """None if the server answers and has our database, else why not."""
        self.refuse_stranger()
        if not (self.data.exists() and self._socket().exists()):
            return "it is not running"
        try:
            with psycopg.connect(self.conninfo, connect_timeout=5):
                return None
        except psycopg.OperationalError as exc:
            if f'database "{NAME}" does not exist' in str(exc):
                self._create_database()
                return None
            return str(exc).strip()

    def _create_database(self) -> None:
        with psycopg.connect(self.conninfo, dbname="postgres", autocommit=True) as connection:
            try:
                connection.execute(f"CREATE DATABASE {NAME}")
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another client was faster

    def _watch(self) -> None:
        """A server whose supervisor was killed gets a new one, which stops it in the end."""
        lock = _try_lock(self._lock)
        if lock is not None:
            with os.fdopen(lock, "rb"):
                self._start(lock)

    def _start(self, lock: int) -> None:
        """Called with the lock held; the supervisor inherits it."""
        account = account_for(self.data)
        binaries = find_binaries(account)
        cluster.prepare(self.data, binaries, account)
        if self._socket_folder() != self.data:
            cluster.own_folder(self._socket_folder(), account)
        job = {
            "postgres": self._command(binaries, account),
            "data": str(self.data),
            "socket": str(self._socket()),
            "log": str(self.log),
            "clients": str(self._clients),
            "lock": lock,
            "grace": self.grace,
            "uid": account.uid if account else None,
            "gid": account.gid if account else None,
        }
        program = [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(job)]
        subprocess.run(
            program,
            cwd="/",
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            pass_fds=[lock],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def _command(self, binaries: Binaries, account: Account | None) -> list[str]:
        folder = self._socket_folder()
        settings = SETTINGS | {
            "unix_socket_directories": "." if folder == self.data else str(folder)
        }
        command = [binaries.postgres, "-D", cluster.argument(self.data, account)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return command

    def _socket_folder(self) -> Path:
        """Inside the data folder, unless libpq could not connect to that path."""
        path = str(self.data / SOCKET)
        if len(os.fsencode(path)) <= SOCKET_BYTES and "," not in path:
            return self.data
        name = hashlib.blake2b(os.fsencode(self.data), digest_size=8).hexdigest()
        return Path("/tmp") / f"llmproxy-{name}"  # noqa: S108 - its owner is checked

    def _socket(self) -> Path:
        return self._socket_folder() / SOCKET

    def _unavailable(self, reason: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"The embedded Postgres in {self.data} does not answer: {reason}\n{self._log_end()}"
        )

    def _log_end(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
        except OSError:
            return f"There is no log in {self.log}."


def stop(home: Home) -> bool:
    """Stop the server of this home, whoever uses it; False if it was not running."""
    path = home.path / "postgres.lock"
    told = False
    while path.exists():
        lock = _try_lock(path)
        if lock is not None:
            os.close(lock)
            break
        pid = path.read_text()
        if pid and not told:
            os.kill(int(pid), signal.SIGTERM)
            told = True
        time.sleep(0.05)
    return told


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
