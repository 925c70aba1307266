"""Real mitmdump processes for tests: our addons, a home of their own, the simulated provider."""

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self

from llmproxy_core.home import Home
from llmproxy_core.records import Answered, Closed, Event, Opened, Piece, Record
from llmproxy_core.spool import START, readers
from tests.threaded_tls import threaded

CHECKOUT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
REDIRECT = CHECKOUT / "llmproxy_core" / "simulator" / "redirect.py"


def wait_for[T](condition: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Poll until `condition` is true; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}")
        time.sleep(0.02)
    return value


class Provider(Protocol):
    """The simulator, or a server that a test makes of its own."""

    @property
    def https_port(self) -> int: ...
    @property
    def http_port(self) -> int: ...
    @property
    def ca_file(self) -> Path: ...


class Mitmdump:
    """`mitmdump -s addons/` in a process of its own; a context manager.

    With `simulator`, provider hosts lead to it, over real TLS. Without `worker`, what the proxy
    has written stays in the spool, for the test to read.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        simulator: Provider | None = None,
        worker: bool = False,
        program: str = "mitmdump",
        environment: dict[str, str] | None = None,
        config: str = "",
        scripts: tuple[str, ...] = (),
        cwd: Path = CHECKOUT,
    ) -> None:
        folder.mkdir(exist_ok=True, parents=True)
        environment = environment or {}
        self.home = Home(Path(environment.get("LLMPROXY_HOME", folder / "home")))
        self.confdir = folder / "confdir"
        self.log = folder / "mitmdump.log"
        self.port = 0
        self.started_in = 0.0
        """Seconds."""
        self.process: Any = None  # subprocess.Popen
        config_file = folder / "mitm.toml"
        config_file.write_text(config if worker else f"[worker]\nchild = false\n{config}")
        self._cwd = cwd
        self.environment = os.environ | {
            "LLMPROXY_HOME": str(self.home.path),
            "LLMPROXY_CONFIG": str(config_file),
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
        }
        options = ["-p", "0", "--set", f"confdir={self.confdir}"]
        options += [part for script in scripts for part in ("-s", script)]
        if simulator:
            self.environment["LLMPROXY_SIMULATOR_PORT"] = str(simulator.https_port)
            self.environment["LLMPROXY_SIMULATOR_HTTP_PORT"] = str(simulator.http_port)
            options += ["-s", str(REDIRECT)]
            options += ["--set", f"ssl_verify_upstream_trusted_ca={simulator.ca_file}"]
        self.environment |= environment
        self.command = [str(BIN / program), "-s", "addons/", *options, *arguments]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self._cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        began = time.monotonic()
        try:
            self.port = wait_for(self._state, 120)["port"]
            self.started_in = time.monotonic() - began
        except BaseException:
            self.stop()
            raise

    def _state(self) -> dict[str, int] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"mitmdump has ended: {self.output}")
        with suppress(OSError, ValueError):
            state: dict[str, int] = json.loads(self.home.proxy_state.read_bytes())
            return state if state["pid"] == self.process.pid else None
        return None

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.confdir / "mitmproxy-ca-cert.pem"

    def trust(self) -> ssl.SSLContext:
        """A client's TLS settings: our CA and nothing else."""
        return threaded(ssl.create_default_context(cafile=self.ca))

    def calls(self) -> list["Call"]:
        """The exchanges in the spool, in order of their requests."""
        return spooled_calls(self.home)

    def events(self) -> list[Event]:
        return [record for record, _ in spooled(self.home) if isinstance(record, Event)]

    def closed(self, count: int) -> list["Call"]:
        """Wait for so many calls to have ended."""

        def enough() -> list[Call] | None:
            calls = self.calls()
            return calls if sum(bool(call.closed) for call in calls) >= count else None

        return wait_for(enough)


class Call:
    """One exchange, put together from its records."""

    def __init__(self, opened: Opened, body: bytes) -> None:
        self.opened = opened
        self.request = body
        self.answered: Any = None  # Answered
        self.pieces: list[tuple[Piece, bytes]] = []
        self.closed: Any = None  # Closed
        self.response = b""

    @property
    def status(self) -> int | None:
        head = self.answered or self.closed
        status: int | None = head.answer.status if head and head.answer else None
        return status


def spooled(home: Home) -> Iterator[tuple[Record, bytes]]:
    for reader in readers(home.spool):
        for entry in reader.read(START):
            yield entry.record, entry.body


def spooled_calls(home: Home) -> list[Call]:
    """Without those whose `Opened` was lost on a full disk."""
    calls: dict[bytes, Call] = {}
    for record, body in spooled(home):
        if isinstance(record, Opened):
            calls[record.id] = Call(record, body)
        elif record.id not in calls:
            continue
        elif isinstance(record, Answered):
            calls[record.id].answered = record
        elif isinstance(record, Piece):
            calls[record.id].pieces.append((record, body))
            calls[record.id].response = _with(calls[record.id].response, record, body)
        elif isinstance(record, Closed):
            calls[record.id].closed = record
            calls[record.id].response = _with(calls[record.id].response, record, body)
    return list(calls.values())


def _with(written: bytes, record: Piece | Closed, body: bytes) -> bytes:
    """What is written of an answer with this record."""
    return body if record.again else written + body


def free_port() -> int:
    """Of those that the system gives nobody who does not name one."""
    for port in random.sample(range(10_000, 30_000), 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a thousand ports are taken")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
