"""The demo's stage: simulated provider, proxy, programs, TUI; struck when the play is over."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import typer

from llmproxy_core import config
from llmproxy_core.cli.colleague import colleague
from llmproxy_core.cli.proxy import addons_folder, find_program
from llmproxy_core.cli.surroundings import warn
from llmproxy_core.clients.endpoint import Endpoint, endpoint
from llmproxy_core.config import Config
from llmproxy_core.errors import ClientError, StoreError
from llmproxy_core.home import Home, open_home
from llmproxy_core.plural import counted
from llmproxy_core.simulator import Controls, Simulator, redirect
from llmproxy_core.simulator.perils import POLICIES
from llmproxy_core.simulator.traffic import Traffic
from llmproxy_core.store import embedded, experiments, reads
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.migrate import open_store

START_SECONDS = 60.0
SETTLE_SECONDS = 60.0
STOP_SECONDS = 15.0
SETTINGS = """\
[proxy]
port = 0
confdir = "{folder}/confdir"
[worker]
child = false
[advisor]
enabled = true
base_url = "{advisor}/api/v1"
[learning]
suggest = "advisor"
min_calls = 20
judged_after_seconds = 10
"""
"""The worker is ours, so that we know when it has ended; the advisor is simulated, too."""
PATIENCE, NO_PATIENCE = 45, 1
"""Seconds that a call waits for a person; where none looks, a moment."""


def play(seconds: float | None) -> None:
    """Until the person quits the TUI, or for `seconds` without one.

    Raises:
        ClientError: a part of it does not start.
    """
    # a closed terminal or a kill must not leave anything running
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with ExitStack() as stack:
        patience = PATIENCE if seconds is None else NO_PATIENCE
        provider = stack.enter_context(Simulator(default=Controls(quality=True, caching=True)))
        settings, home = stack.enter_context(_home(patience, provider.http_url))
        stack.enter_context(_worker(home))
        proxy = stack.enter_context(_mitmdump(settings, home, provider))
        traffic = stack.enter_context(Traffic(proxy.url, proxy.ca_file))
        stack.enter_context(colleague(settings, home))
        if seconds is None:
            from llmproxy_core.tui.start import run

            run(settings, home)
            warn("the demo has ended; stopping what it started")
        else:
            time.sleep(seconds)
            traffic.stop()
            _print_table(settings, home, traffic.tally.made)


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


@contextmanager
def _home(patience: int, advisor: str) -> Iterator[tuple[Config, Home]]:
    """A home folder of its own, with the embedded Postgres; all of it is removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="llmproxy-demo-"))
    file = folder / "mitm.toml"
    policies = POLICIES.format(patience=patience)
    file.write_text(SETTINGS.format(folder=folder, advisor=advisor) + policies)
    os.environ |= {"LLMPROXY_HOME": str(folder / "home"), "LLMPROXY_CONFIG": str(file)}
    os.environ["OPENROUTER_API_KEY"] = "demo-not-a-key"
    os.environ.pop("LLMPROXY_DATABASE_URL", None)
    try:
        home = open_home()
        yield config.load(home=home.path), home
    finally:
        with suppress(StoreError, OSError):
            embedded.stop(home)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _worker(home: Home) -> Iterator[None]:
    """It ends when its standard input does, after it has stored what is left."""
    with home.worker_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "llmproxy_core.worker", "--child"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
    try:
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        _end(process)


@contextmanager
def _mitmdump(settings: Config, home: Home, provider: Simulator) -> Iterator[Endpoint]:
    log = home.path / "mitmdump.log"
    ports = {
        "LLMPROXY_SIMULATOR_PORT": str(provider.https_port),
        "LLMPROXY_SIMULATOR_HTTP_PORT": str(provider.http_port),
    }
    command = [find_program("mitmdump"), "-s", str(addons_folder()), "-s", str(redirect.__file__)]
    command += ["--set", f"ssl_verify_upstream_trusted_ca={provider.ca_file}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=os.environ | ports,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _started(process, settings, home, log)
    finally:
        process.terminate()
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _started(
    process: "subprocess.Popen[bytes]", settings: Config, home: Home, log: Path
) -> Endpoint:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = endpoint(settings, home)
        if found.pid == process.pid and found.ca_file.is_file() and found.answers():
            return found
        time.sleep(0.05)
    last = log.read_text(errors="replace").strip()[-2000:]
    raise ClientError(f"the demo's proxy did not start:\n{last}")


def _print_table(settings: Config, home: Home, made: int) -> None:
    """Raises ClientError if some of the calls did not arrive in the database."""
    from llmproxy_core.cli.flows import Output

    stored = _settled(settings, home, made)
    output = Output(as_json=False)
    for flow in reversed(stored):
        output.write(flow)
    output.flush()
    ended = sum(flow.state != "open" for flow in stored)
    _print_experiments(settings, home)
    warn(f"{counted(made, 'call')} made, {ended} of them stored with their answers")
    if ended < made:
        raise ClientError("some calls did not arrive in the database")


def _print_experiments(settings: Config, home: Home) -> None:
    """What was tried, if there was time for it."""
    from llmproxy_core.cli.experiments import table

    with (
        open_store(settings, home, "llmproxy demo") as database,
        database.connect() as connection,
    ):
        found = experiments.experiments(connection)
    for line in table(found) if found else ():
        typer.echo(line)


def _settled(settings: Config, home: Home, made: int) -> list[Flow]:
    """All flows, once every call made is there with its answer, or no more come."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with open_store(settings, home, "llmproxy demo") as database:
        while True:
            with database.connect() as connection:
                found = reads.flows(connection, limit=made + 1)
            ended = sum(flow.state != "open" for flow in found)
            if ended >= made or time.monotonic() > deadline:
                return found
            time.sleep(0.1)
