"""An agent at work through the proxy: in an empty home, with a key that is worth nothing."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmproxy_core.config import Config
from llmproxy_core.simulator import Simulator
from llmproxy_core.simulator.handler import Seen
from llmproxy_core.store import reads, tree
from llmproxy_core.store.database import open_database
from llmproxy_core.store.flows import Session
from llmproxy_core.store.tree import TreeNode
from tests.mitm import BIN, Mitmdump, wait_for

SECONDS = 90
"""Each run takes one to five of them on an idle machine."""
KEPT = ("LANG", "LC_ALL", "TZ")
"""Of the environment: nothing by which the agent that runs these tests would show through."""
KEY = "sk-worth-nothing-0123456789abcdefghij"


@dataclass(frozen=True, slots=True)
class Said:
    """What an agent printed."""

    text: str
    errors: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


class Agent:
    """Runs of one agent on one machine: they share the home, the working directory, the proxy."""

    def __init__(
        self, folder: Path, programs: Path, proxy: Mitmdump, provider: Simulator, **settings: str
    ) -> None:
        self.proxy = proxy
        self.provider = provider
        self._work = folder / "work"
        self._work.mkdir()
        home = folder / "person"
        home.mkdir()
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home)}
        self._environment |= {"TERM": "xterm-256color"} | settings
        for name in ("LLMPROXY_HOME", "LLMPROXY_CONFIG"):
            self._environment[name] = proxy.environment[name]

    def run(self, *command: str) -> Said:
        """`llmproxy run -- COMMAND`, which has to end well."""
        with subprocess.Popen(
            [str(BIN / "llmproxy"), "run", "--", *command],
            cwd=self._work,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                text, errors = process.communicate(timeout=SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with all that it has started
        assert process.returncode == 0, f"{command}: {errors}\n{text}"
        return Said(text, errors)

    def calls(self, count: int) -> list[dict[str, Any]]:
        """All rows of the store, oldest first, as soon as so many calls have ended."""

        def ended() -> list[dict[str, Any]] | None:
            rows = [json.loads(line) for line in self._llmproxy("flows", "--json").splitlines()]
            done = [row for row in rows if row["state"] != "open"]
            return rows if len(done) >= count else None

        rows = wait_for(ended, 30)
        told = [(row["method"], row["path"], row["status"]) for row in rows]
        assert len(rows) == count, f"{told}; the provider saw {self.asked}"
        return rows

    def sessions(self) -> list[Session]:
        with open_database(Config(), self.proxy.home) as database, database.connect() as connection:
            return reads.sessions(connection)

    def tree(self) -> list[TreeNode]:
        """The requests of all sessions, oldest first."""
        with open_database(Config(), self.proxy.home) as database, database.connect() as connection:
            nodes = [
                node
                for one in reads.sessions(connection)
                for node in tree.tree(connection, one.ns_id, one.id)
            ]
        return sorted(nodes, key=lambda node: node.id)

    def show(self, row: dict[str, Any]) -> Any:
        return json.loads(self._llmproxy("show", row["id"], "--json"))

    def body(self, row: dict[str, Any], side: str) -> bytes:
        return self._llmproxy("show", row["id"], "--raw", side)

    @property
    def asked(self) -> list[str]:
        """Host and path of each request that has reached the provider."""
        return [seen.host + seen.path for seen in self.provider.seen]

    def generations(self) -> list[Seen]:
        """The requests that asked the provider for an answer, in order."""
        ends = ("/messages", "/responses", "enerateContent")
        return [
            seen
            for seen in self.provider.seen
            if seen.method == "POST" and seen.path.split("?")[0].endswith(ends)
        ]

    def assert_untouched(self, rows: list[dict[str, Any]]) -> None:
        """The store has what reached the provider, byte for byte."""
        received = [seen.body for seen in self.generations()]
        assert [self.body(row, "request") for row in rows] == received
        assert not any(row["request_changed"] or row["response_changed"] for row in rows)

    def assert_key_is_nowhere(self) -> None:
        """The provider gets the key; no file that we have written has it."""
        assert any(KEY in value for seen in self.provider.seen for _, value in seen.headers)
        assert not [file for file in self._written() if KEY.encode() in file.read_bytes()]

    def _written(self) -> Iterator[Path]:
        yield self.proxy.log
        for file in self.proxy.home.path.rglob("*"):
            if file.is_file():
                yield file

    def _llmproxy(self, *arguments: str) -> bytes:
        done = subprocess.run(
            [str(BIN / "llmproxy"), *arguments],
            env=self.proxy.environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
