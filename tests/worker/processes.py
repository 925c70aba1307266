"""Real worker processes, as a proxy starts them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmproxy_core.home import Home

CHECKOUT = Path(__file__).parents[2]


class Worker:
    """`end` closes its standard input, as the death of a proxy does."""

    def __init__(self, home: Home, url: str | None, *options: str, program: str = "") -> None:
        self.home = home
        environment = os.environ | {"LLMPROXY_HOME": str(home.path), "PYTHONPATH": str(CHECKOUT)}
        environment.pop("LLMPROXY_CONFIG", None)
        environment["LLMPROXY_DATABASE_URL"] = url or ""
        command = ["-c", program] if program else ["-m", "llmproxy_core.worker"]
        with home.worker_log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, *(options or ["--child"])],
                stdin=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=home.path,
            )

    @property
    def log(self) -> str:
        return self.home.worker_log.read_text()

    def end(self, seconds: float = 120.0) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(seconds)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


@contextmanager
def worker(home: Home, url: str | None, *options: str, program: str = "") -> Iterator[Worker]:
    started = Worker(home, url, *options, program=program)
    try:
        yield started
    finally:
        started.kill()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s: {what}"
        time.sleep(0.02)
