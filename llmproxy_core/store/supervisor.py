"""The parent of the embedded Postgres: runs it as long as it has clients. Started by `embedded`.

Run by path (`python -I -S supervisor.py JOB`), with the standard library alone, so that it stays
small. It holds an exclusive lock on `lock` all its life; clients hold shared locks on `clients`,
which the kernel drops when they die, however they die. When it gets that file for itself, nobody
is left; after a grace period it stops the server and goes. Postgres is its child and, on Linux,
is told by the kernel to stop when this process is killed. The server ends: this process ends.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

LOG_BYTES = 4 * 2**20
LOG_INTERVAL = 600.0
ADOPTED_INTERVAL = 0.2
STOP_SECONDS = 60.0
PR_SET_PDEATHSIG = 1


def private(path: str, flags: int) -> int:
    """An opener of files: 0600, and no detour by a link.

    Where this process is root, the folder is another account's.
    """
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


class Supervisor:
    """`job`: postgres (argv), data, log, clients, lock (a descriptor), grace (s), uid, gid."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.log = Path(job["log"])
        self.pid_file = Path(job["data"], "postmaster.pid")
        self.clients = os.open(job["clients"], os.O_RDWR)
        self.pid = 0
        self.adopted = False

    def run(self) -> None:
        os.ftruncate(self.job["lock"], 0)
        os.pwrite(self.job["lock"], str(os.getpid()).encode(), 0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGALRM, lambda *_: self.look())
        self.pid = self.running()
        self.adopted = bool(self.pid)
        if not self.adopted:
            signal.signal(signal.SIGCHLD, lambda *_: self.reap())
            self.bury()
            self.pid = self.start()
            self.reap()  # it may have ended before its pid was known
        interval = ADOPTED_INTERVAL if self.adopted else LOG_INTERVAL
        signal.setitimer(signal.ITIMER_REAL, interval, interval)
        self.wait_for_clients_to_go()
        self.stop()

    def wait_for_clients_to_go(self) -> None:
        while True:
            fcntl.flock(self.clients, fcntl.LOCK_EX)
            fcntl.flock(self.clients, fcntl.LOCK_UN)
            time.sleep(self.job["grace"])
            try:
                fcntl.flock(self.clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return

    def start(self) -> int:
        self.rotate()
        libc = ctypes.CDLL(None)
        parent = os.getpid()

        def die_with_parent() -> None:
            if sys.platform == "linux":
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
                if os.getppid() != parent:
                    os._exit(1)

        account = {}
        if self.job["uid"] is not None:
            account = {"user": self.job["uid"], "group": self.job["gid"], "extra_groups": []}
        with open(self.log, "ab", opener=private) as log:
            process = subprocess.Popen(
                self.job["postgres"],
                cwd=self.job["data"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                **account,
            )
        return process.pid

    def running(self) -> int:
        """The server of a supervisor that was killed where the kernel does not tell; else 0."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return 0
        return pid if self.answers() else 0

    def bury(self) -> None:
        """A killed server whose body nobody collects (a container without init) looks alive.

        With our pid in its files, Postgres takes it for dead, and checks its memory as ever.
        """
        for path in (self.pid_file, Path(self.job["socket"] + ".lock")):
            try:
                with open(path, "r+", opener=private) as file:
                    pid, rest = file.read().split("\n", 1)
                    stat = Path("/proc", pid.strip(), "stat").read_text()
                    if stat.rpartition(")")[2].split()[0] == "Z":
                        file.seek(0)
                        file.truncate()
                        file.write(f"{os.getpid()}\n{rest}")
            except (OSError, ValueError, IndexError):
                continue

    def answers(self) -> bool:
        import socket

        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(self.job["socket"])
            except OSError:
                return False
        return True

    def reap(self) -> None:
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            os._exit(0)

    def look(self) -> None:
        """Now and then: is an adopted server still there, is the log small?"""
        if self.adopted:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                os._exit(0)
        else:
            self.rotate()

    def rotate(self) -> None:
        """Keep one older log. The server appends, so that emptying its file is safe."""
        try:
            if self.log.stat().st_size > LOG_BYTES:
                older = self.log.with_name(self.log.name + ".1")
                with open(self.log, "rb+", opener=private) as log:
                    with open(older, "wb", opener=private) as copy:
                        copy.write(log.read())
                    log.truncate(0)
        except OSError:
            return  # a log that cannot be rotated is no reason to stop the server

    def stop(self) -> NoReturn:
        """Fast shutdown; `reap` or `look` ends this process as soon as the server has gone."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            try:
                os.kill(self.pid, how)
            except ProcessLookupError:
                break
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                time.sleep(0.05)
                self.look() if self.adopted else self.reap()
        os._exit(0)


def main() -> None:
    if os.fork():
        os._exit(0)  # nobody has to wait for us
    try:
        Supervisor(json.loads(sys.argv[1])).run()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
