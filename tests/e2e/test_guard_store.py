"""What commands say reaches a proxy that runs, and what the proxy decides reaches commands."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from llmproxy_core.store.database import Database
from tests.e2e.namespaced import function
from tests.mitm import BIN, Mitmdump, wait_for
from tests.postgres import database  # noqa: F401

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
KEY = "sk-proj-not-a-real-key-of-anybody-0001"
SECRET = "AKIA" + "Z7QX4M2PLBVW6T5R"
MAIL = "write to jane.roe@example.com"
FILE = """
[[policies]]
name = "mail"
when = 'finding.family == "pii"'
action = "flag"
"""


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

    def told(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def ask(self, text: str, *tools: str) -> httpx.Response:
        body: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}
        if tools:
            body["tools"] = [function(name) for name in tools]
        with httpx.Client(proxy=self.proxy.url, verify=self.proxy.trust(), timeout=120) as client:
            return client.post(URL, json=body, headers={"authorization": f"Bearer {KEY}"})

    def becomes(self, status: int, text: str = "Why?") -> httpx.Response:
        """What such a call is answered with, once what was said has come to the proxy."""

        def answered() -> httpx.Response | None:
            answer = self.ask(f"{uuid.uuid4().hex} {text}")
            return answer if answer.status_code == status else None

        return wait_for(answered)


@pytest.fixture
def suite(tmp_path: Path, simulator: Simulator, database: Database) -> Iterator[Suite]:  # noqa: F811
    url = {"LLMPROXY_DATABASE_URL": database.url}
    with Mitmdump(
        tmp_path, simulator=simulator, worker=True, environment=url, config=FILE
    ) as proxy:
        yield Suite(proxy, simulator)


def test_a_policy_of_the_table_blocks_and_is_told(suite: Suite) -> None:
    assert suite.ask(f"My key is {SECRET}").status_code == 200
    suite("policies", "add", "no-keys", "--when", 'finding.family == "secret"', "--action", "block")
    refused = suite.becomes(403, f"My key is {SECRET}")
    assert "no-keys" in refused.json()["error"]["message"]
    assert SECRET not in refused.text

    def counted() -> bool:
        return any(one["hits_24h"] for one in suite.told("policies", "list"))

    wait_for(counted)
    shown = suite("policies", "show", "no-keys")
    assert "blocked" in shown
    suite("policies", "set", "no-keys", "--mode", "shadow")
    suite.becomes(200, f"My key is {SECRET}")


def test_what_was_found_is_settled_by_command(suite: Suite) -> None:
    suite.ask(f"My key is {SECRET}, and {MAIL}")

    def queue() -> Any:
        found = suite.told("anomalies", "list")
        return found if {one["family"] for one in found} >= {"secret", "pii"} else None

    found = wait_for(queue)
    assert [one for one in found if SECRET in json.dumps(one)] == []
    secret = next(one for one in found if one["family"] == "secret")
    assert "[secret:" in secret["excerpt"]
    suite("anomalies", "resolve", secret["id"], "--why", "replaced")
    assert secret["id"] not in {one["id"] for one in suite.told("anomalies", "list")}
    assert "anomaly resolve" in suite("audit", "list")
    tried = suite.told("policies", "test", "mail", "--when", 'finding.family == "secret"')
    assert (tried["acted_on"], tried["labelled"], tried["false_positives"]) == (1, 1, 0)


def test_a_call_waits_until_it_is_approved_by_command(suite: Suite) -> None:
    suite(
        "policies", "add", "ask", "--when", 'finding.family == "pii"', "--action", "hold",
        "--timeout", "600", "--message", "Ask first.",
    )  # fmt: skip
    mark = uuid.uuid4().hex
    with ThreadPoolExecutor(1) as pool:

        def held() -> Any:
            """The policy comes within 3 seconds: until then calls pass."""
            asked = pool.submit(suite.ask, f"{uuid.uuid4().hex} {mark} {MAIL}")
            while not asked.done():
                if waiting := suite.told("approvals", "list"):
                    return asked, waiting[0]
            assert asked.result().status_code == 200
            return None

        asked, waiting = wait_for(held)
        assert (waiting["policy"], waiting["state"]) == ("ask", "waiting")
        assert not asked.done()
        suite("approvals", "approve", waiting["request_id"][-12:])
        assert asked.result(60).status_code == 200, "long before its time is over"
    everything = suite.told("approvals", "list", "--all")
    assert everything[0]["state"] == "approved"


def test_a_call_of_a_tool_passes_when_it_is_made_again_after_it_was_approved(
    suite: Suite,
) -> None:
    suite("policies", "add", "refunds", "--when", 'tool == "refund"', "--action", "hold")
    order = f'call refund with {{"order": "{uuid.uuid4().hex}"}}'

    def refund() -> dict[str, Any]:
        answer = suite.ask(order, "refund")
        message: dict[str, Any] = answer.json()["choices"][0]["message"]
        return message

    def refused() -> dict[str, Any] | None:
        told = refund()
        return None if "tool_calls" in told else told

    held = wait_for(refused)
    assert "llmproxy approvals approve" in held["content"]

    def asked() -> Any:
        return next(iter(suite.told("approvals", "list")), None)

    waiting = wait_for(asked)
    assert (waiting["policy"], waiting["tool"]) == ("refunds", "refund")
    suite("approvals", "approve", waiting["request_id"], "--why", "a good customer")
    passed = wait_for(lambda: refund().get("tool_calls"))
    assert passed[0]["function"]["name"] == "refund"
    assert "tool_calls" not in refund(), "what is approved passes once"


def test_a_key_is_blocked_by_its_fingerprint(suite: Suite) -> None:
    assert suite.ask("Why?").status_code == 200

    def fingerprint() -> Any:
        flows = [json.loads(line) for line in suite("flows", "--json").splitlines()]
        return flows[0]["credential"] if flows else None

    key = wait_for(fingerprint)
    suite("keys", "block", key, "--why", "It has leaked.")
    assert "It has leaked." in suite.becomes(403).text
    suite("keys", "unblock", key)
    suite.becomes(200)


def test_policies_of_the_file_are_listed_with_those_of_the_table(suite: Suite) -> None:
    suite("policies", "add", "mine", "--when", "true", "--mode", "off")

    def listed() -> Any:
        found = {one["name"]: one["origin"] for one in suite.told("policies", "list")}
        return found if len(found) == 2 else None

    assert wait_for(listed) == {"mail": "mitm.toml", "mine": "database"}
