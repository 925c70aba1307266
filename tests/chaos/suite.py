"""A proxy, a worker and a Postgres of their own, each of which can be killed at any moment."""

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import uuid_utils

from llmproxy_core.simulator import Simulator
from llmproxy_core.spool import readers
from tests.mitm import Mitmdump
from tests.worker.processes import Worker, wait_for

HALF_A_RECORD = b"\x40\x00\x00\x00\x00\x10\x00\x00 torn by the crash"


class Suite:
    """A context manager. The worker runs beside the proxy, as under systemd."""

    def __init__(self, folder: Path, simulator: Simulator, config: str = "") -> None:
        self.proxy = Mitmdump(folder, simulator=simulator, config=config)
        self.home = self.proxy.home
        self.worker: Worker | None = None

    def __enter__(self) -> Self:
        self.proxy.start()
        self.start_worker()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.stop()
        if self.worker is not None:
            self.worker.kill()

    def start_worker(self) -> None:
        self.worker = Worker(self.home, None)

    def stop_worker(self) -> None:
        assert self.worker is not None
        self.worker.process.terminate()
        self.worker.process.wait(30)

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.kill()
        self.start_worker()

    def kill_proxy(self) -> None:
        self.proxy.stop(signal.SIGKILL)
        self.proxy.start()

    def kill_postgres(self) -> bool:
        """The whole server. False: there is none just now."""
        pid = self._postmaster()
        return pid is not None and _kill(pid)

    def kill_backend(self, dice: random.Random) -> bool:
        """One of its processes; the server then restarts all of them."""
        pid = self._postmaster()
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return bool(children) and _kill(int(dice.choice(children)))
        return False

    def tear(self) -> None:
        """A dead journal ends in half a record, as after a crash of the machine."""
        for reader in readers(self.home.spool):
            with suppress(OSError):
                last = max(reader.folder.glob("*.seg"))
                if not reader.writer_alive():
                    with last.open("r+b") as file:
                        file.seek(0, os.SEEK_END)
                        file.write(HALF_A_RECORD)

    def copy_a_journal(self) -> bool:
        """One comes back from a backup under another name."""
        for reader in readers(self.home.spool):
            twin = reader.folder.with_name(uuid_utils.uuid7().hex)
            aside = reader.folder.with_name(f".{twin.name}")
            try:
                shutil.copytree(reader.folder, aside)
            except (OSError, shutil.Error):  # the worker has just removed it
                shutil.rmtree(aside, ignore_errors=True)
                continue
            aside.rename(twin)
            return True
        return False

    def settle(self, seconds: float = 600) -> None:
        """End the proxy and let the worker store all that is there."""
        self.proxy.stop()
        wait_for(lambda: not readers(self.home.spool), "the journals are not stored", seconds)
        assert self.worker is not None
        time.sleep(1.5)  # the places of journals that are gone are forgotten a second later
        assert self.worker.end() == 0, self.worker.log[-2000:]

    def _postmaster(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):
            return int((self.home.postgres / "postmaster.pid").read_text().splitlines()[0])
        return None


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def kill_something(suite: Suite, dice: random.Random) -> str:
    """A random part, at a random moment; its name, or empty if there was nothing to kill."""
    time.sleep(dice.expovariate(4.0))
    match dice.choices(("worker", "postgres", "backend", "proxy"), (40, 15, 20, 25))[0]:
        case "worker":
            suite.kill_worker()
            return "worker"
        case "postgres":
            return "postgres" if suite.kill_postgres() else ""
        case "backend":
            return "backend" if suite.kill_backend(dice) else ""
        case _:
            suite.kill_proxy()
            if dice.random() < 0.5:
                suite.tear()
            return "proxy"
