"""Rules of the database on their way to a running proxy, and both names of tools in the store."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import function, named, said
from tests.mitm import BIN, Mitmdump, wait_for
from tests.postgres import database  # noqa: F401

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
LONG = "a_tool_with_a_name_that_is_longer_than_any_provider_would_ever_take"
FILE = (
    '\n[[namespaces]]\nname = "written"\nprefix = "wri__"\nmatch = { header = { x-team = "w" } }\n'
)
SECONDS = 3.0
"""How soon a running proxy goes by another rule."""


class Suite:
    """A proxy with its worker, the CLI beside it."""

    def __init__(self, proxy: Mitmdump, simulator: Simulator) -> None:
        self.proxy = proxy
        self.simulator = simulator

    def __call__(self, *arguments: str) -> str:
        command = [str(BIN / "llmproxy"), *arguments]
        done = subprocess.run(command, env=self.proxy.environment, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def ask(self, team: str, *names: str, text: str = "Why?", **more: Any) -> list[str]:
        """The names with which the tools reach the provider."""
        body = {"model": "gpt-5", "messages": said(text), "tools": [*map(function, names)], **more}
        self.simulator.seen.clear()
        with httpx.Client(proxy=self.proxy.url, verify=self.proxy.trust(), timeout=60) as client:
            answer = client.post(URL, json=body, headers={"x-team": team})
        assert answer.status_code == 200, answer.text
        return named(self.simulator.seen[-1].body)

    def soon(self, team: str, wanted: str) -> float:
        """Until conversations that begin have their tools under this name: so many seconds."""
        began = time.monotonic()
        wait_for(lambda: self.ask(team, "find", text=uuid.uuid4().hex) == [wanted])
        return time.monotonic() - began

    def flow(self, mark: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            lines = self("flows", "--json", "--filter", mark).splitlines()
            found = [json.loads(line) for line in lines]
            return found[0] if found and found[0]["state"] != "open" else None

        return wait_for(ended)


@pytest.fixture
def suite(tmp_path: Path, simulator: Simulator, database) -> Iterator[Suite]:  # noqa: F811
    url = {"LLMPROXY_DATABASE_URL": database.url}
    with Mitmdump(tmp_path, simulator=simulator, worker=True, environment=url) as proxy:
        yield Suite(proxy, simulator)


def test_a_rule_of_the_database_reaches_a_running_proxy(suite):
    assert suite.ask("pay", "find") == ["find"]
    told = suite("ns", "add", "payments", "--prefix", "pay__", "--header", "x-team=pay")
    assert told.endswith("Proxies that run know it within 3 seconds.\n")
    took = [suite.soon("pay", "pay__find")]
    suite("ns", "set", "payments", "--prefix", "p_")
    took.append(suite.soon("pay", "p_find"))
    suite("ns", "remove", "payments")
    took.append(suite.soon("pay", "find"))
    assert min(took) < SECONDS, "always, on a machine that is not busy"


def test_a_rule_of_mitm_toml_is_listed_and_comes_first(suite, tmp_path):
    suite("ns", "add", "payments", "--prefix", "pay__", "--header", "x-team=w")
    suite.soon("w", "pay__find")
    file = Path(suite.proxy.environment["LLMPROXY_CONFIG"])
    aside = tmp_path / "new.toml"
    aside.write_text(file.read_text() + FILE)
    os.replace(aside, file)
    suite.soon("w", "wri__find")
    wait_for(lambda: "written   wri__" in suite("ns", "list"))


def test_both_names_of_a_tool_are_stored_and_shown(suite):
    suite("ns", "add", "payments", "--prefix", "pay__", "--header", "x-team=pay")
    suite.soon("pay", "pay__find")
    mark = uuid.uuid4().hex
    sent = suite.ask("pay", "find", LONG, text=f"{mark} use a tool")
    assert sent[0] == "pay__find"
    assert len(sent[1]) == 64
    flow = suite.flow(mark)
    assert (flow["namespace"], flow["namespace_prefix"]) == ("payments", "pay__")
    assert (flow["tool_names"], flow["client_tool_names"]) == (["pay__find"], ["find"])
    assert flow["request_changed"]
    assert flow["response_changed"]
    shown = suite("show", flow["id"])
    assert "space     payments · prefix pay__" in shown
    assert "[tool call] find (sent as pay__find)" in shown
    told = json.loads(suite("export", "--id", flow["id"], "--bodies"))
    assert told["request_client_tool_names"] == ["find", LONG]
    assert told["shortened"] == {sent[1]: LONG}
    file = suite.proxy.home.path / "calls.jsonl"
    suite("export", "--id", flow["id"], "--bodies", "-o", str(file))
    tried = suite("ns", "test", str(file), "--ns", "payments")
    assert f"{LONG}  →  {sent[1]}" in " ".join(tried.split("\n")).replace("   ", "  ")
    assert "1 call: 1 with a prefix, 0 would not come back" in tried


def test_a_namespace_that_is_renamed_keeps_its_calls(suite):
    suite("ns", "add", "payments", "--prefix", "pay__", "--header", "x-team=pay")
    suite.soon("pay", "pay__find")
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    suite.ask("pay", "find", text=first)
    before = suite.flow(first)
    suite("ns", "rename", "payments", "treasury")
    suite.ask("pay", "find", text=second)  # the proxy may not know it yet
    after = suite.flow(second)
    assert after["ns_id"] == before["ns_id"]
    assert suite.flow(first)["namespace"] == after["namespace"] == "treasury"
    rows = {row["name"]: row for row in json.loads(suite("ns", "list", "--json"))}
    assert set(rows) == {"treasury", "default"}
    assert rows["treasury"]["former_names"] == ["payments"]
