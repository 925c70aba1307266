"""Processes of an embedded server, found by their home; and clients that can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from llmproxy_core.home import Home

CLIENT = """
import sys
from pathlib import Path
from llmproxy_core.home import Home
from llmproxy_core.store.embedded import EmbeddedServer
server = EmbeddedServer(Home(Path(sys.argv[1])), grace=0.3)
server.ensure()
print("ready", flush=True)
sys.stdin.read()
"""


def start_client(home: Home, *prefix: str) -> subprocess.Popen[str]:
    """A process that uses the server until its standard input is closed."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", CLIENT, str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def wait_ready(client: subprocess.Popen[str]) -> None:
    assert client.stdout is not None
    assert client.stdout.readline() == "ready\n"


def end(client: subprocess.Popen[str]) -> None:
    with client:
        client.kill()


def servers(home: Home) -> list[int]:
    """Pids of every Postgres process of this home."""
    return [pid for pid in _pids() if _link(f"/proc/{pid}/cwd") == str(home.postgres)]


def supervisors(home: Home) -> list[int]:
    return [pid for pid in _pids() if _is_supervisor(pid, home)]


def postmaster(home: Home) -> int:
    return int((home.postgres / "postmaster.pid").read_text().split()[0])


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s: {what}"
        time.sleep(0.02)


def wait_until_nothing_runs(home: Home) -> None:
    wait_for(lambda: not servers(home) and not supervisors(home), "the server is still there")


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _is_supervisor(pid: int, home: Home) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"supervisor.py" in command and os.fsencode(home.path) in command


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
