"""Throw-away virtual environments and stock mitmproxy processes in them.

Everything is installed from uv's cache with hard links, so an environment takes a second or two.
"""

import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

CHECKOUT = Path(__file__).parents[2]
CONSTRAINTS = CHECKOUT / "constraints.txt"

ADDON = """
    import os

    from {package} import shared


    class {name}:
        def say(self, hook):
            with open(os.environ["EVENTS"], "a") as events:
                events.write(f"{{hook}} {{self.name}} {{shared.WORD}}\\n")

        name = "{name}"

        def load(self, loader):
            self.say("load")

        def running(self):
            self.say("running")

        async def done(self):
            self.say("done")


    addons = [{name}()]
"""


def clean_environment(**variables: str) -> dict[str, str]:
    """The test's own environment without what would leak our virtual environment into another."""
    leaky = ("VIRTUAL_ENV", "PYTHON", "UV_", "COVERAGE_", "LLMPROXY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leaky)}
    return kept | {"UV_SYSTEM_CERTS": "1", "PYTHONUNBUFFERED": "1"} | variables


def uv() -> str:
    """The uv that the development group installs, else the one in PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "uv is missing: run `make test`, or install the dev group into this environment"
    return found


def run(*command: str | Path, cwd: Path = CHECKOUT, **variables: str) -> str:
    """Run to the end and return what was said; a failure is the test's."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


class Environment:
    """A virtual environment of our own Python version at `path`."""

    def __init__(self, path: Path, seed: bool = False) -> None:
        self.path = path
        self.bin = path / "bin"
        base = Path(sys.base_prefix) / "bin" / "python3"
        run(uv(), "venv", "--quiet", "--no-project", "--python", base, path)
        if seed:
            self.uv_install("pip")

    def uv_install(self, *what: str | Path) -> None:
        """`uv pip install`, with the pinned versions."""
        run(uv(), "pip", "install", "-q", "--python", self.bin / "python", "-c", CONSTRAINTS, *what)

    def pip_install(self, *what: str | Path) -> None:
        """pip's own `install`, of what needs nothing that is not there yet."""
        self.pip("install", "--disable-pip-version-check", "--no-deps", *what)

    def pip(self, command: str, *arguments: str | Path) -> None:
        run(self.bin / "python", "-m", "pip", command, "--quiet", *arguments)

    def python(self, code: str, *options: str) -> str:
        return run(self.bin / "python", *options, "-c", textwrap.dedent(code))

    def stock(self, program: str, confdir: Path, *arguments: str) -> list[str]:
        """The command for one of mitmproxy's programs, on a port that the system chooses."""
        web = ["--no-web-open-browser", "--set", "web_port=0"] * (program == "mitmweb")
        confdir_option = f"confdir={confdir}"
        return [str(self.bin / program), "-p", "0", "--set", confdir_option, *web, *arguments]


class Addons:
    """A folder of recording addons: `second` is to come before `first`, against the alphabet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.write("shared", "WORD = 'old'")
        for name in ("first", "second"):
            self.write(name, ADDON.format(name=name, package=folder.name))
        self.write(
            "__init__",
            f"""
            from {folder.name} import first, second

            addons = [*second.addons, *first.addons]
            """,
        )

    def write(self, name: str, text: str) -> Path:
        """Replace a file at once, as editors do."""
        path = self.folder / f"{name}.py"
        path.with_suffix(".new").write_text(textwrap.dedent(text))
        path.with_suffix(".new").replace(path)
        return path


class Mitmproxy:
    """A stock mitmproxy program under way in `cwd`; a context manager that ends it.

    `mitmproxy` itself gets a terminal; the others write their log to `log`.
    """

    def __init__(self, command: list[str], cwd: Path, **variables: str) -> None:
        self.command = command
        self.cwd = cwd
        self.log = cwd / "log.txt"
        self.events_file = cwd / "events.txt"
        self.events_file.touch()
        self._environment = clean_environment(
            EVENTS=str(self.events_file), TERM="xterm", **variables
        )
        self._terminal = -1

    def __enter__(self) -> Self:
        self._terminal, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        on_screen = self.command[0].endswith("/mitmproxy")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self._environment,
                stdin=slave,
                stdout=slave if on_screen else log,
                stderr=slave if on_screen else subprocess.STDOUT,
                start_new_session=True,
            )
        os.close(slave)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.wait(lambda: self.process.poll() is not None)
        os.close(self._terminal)

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def events(self) -> list[str]:
        """What the recording addons were told: `hook addon word`."""
        return self.events_file.read_text().splitlines()

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{self.output}\n{self.events}"
            self._drain()
            time.sleep(0.02)

    def wait_events(self, *events: str) -> None:
        self.wait(lambda: list(events) == self.events[-len(events) :])

    def wait_says(self, text: str) -> None:
        self.wait(lambda: text in self.output)

    def _drain(self) -> None:
        """Nobody looks at the terminal, but it must not fill up."""
        os.set_blocking(self._terminal, False)
        with suppress(BlockingIOError, OSError):
            while os.read(self._terminal, 65536):
                pass
