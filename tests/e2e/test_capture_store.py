"""Private calls on their way into the store, and out of it: no word of them is anywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.test_capture_modes import CANARY, URLS, asked, everything, post
from tests.e2e.test_namespace_store import Suite
from tests.mitm import Mitmdump, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def suite(tmp_path: Path, simulator: Simulator) -> Iterator[Suite]:
    """With an embedded server, whose files are in the home, too."""
    with Mitmdump(tmp_path, simulator=simulator, worker=True) as proxy:
        yield Suite(proxy, simulator)


def flows(suite: Suite, count: int) -> list[dict[str, Any]]:
    def ended() -> list[dict[str, Any]] | None:
        lines = suite("flows", "--json", "--limit", "200").splitlines()
        found = [json.loads(line) for line in lines]
        done = [one for one in found if one["state"] != "open"]
        return done if len(done) >= count else None

    return wait_for(ended)


def test_no_word_of_a_private_call_is_in_any_file(suite: Suite) -> None:
    suite("ns", "add", "law", "--header", "x-team=law", "--capture", "metadata")
    rulebook = suite.proxy.home.rulebook
    wait_for(lambda: rulebook.exists() and b'"capture":"metadata"' in rulebook.read_bytes())
    wait_for(lambda: _is_private(suite))
    before = len(flows(suite, 1))
    sent = 0
    for wire in ("openai.chat", "openai.responses", "anthropic.messages", "gemini"):
        for stream in (False, True):
            url, body = asked(wire, "", stream=stream)
            assert post(suite.proxy, url, body, {"x-team": "law"}).status_code == 200
            sent += 1
    found = [one for one in flows(suite, before + sent) if one["tool_names"]]
    assert [one["tool_names"] for one in found] == [["find"]] * sent
    assert all(one["input_tokens"] and one["output_tokens"] for one in found)
    shown = suite("show", found[0]["id"])
    assert "not kept (capture = metadata)" in shown
    exported = [json.loads(line) for line in suite("export", "--bodies").splitlines()]
    private = [one for one in exported if one["namespace"] == "law"]
    assert {one["body_kept"] for one in private} == {"skeleton"}
    assert {(one["text"], one["reasoning"]) for one in private} == {("", "")}
    assert suite("flows", "--json", "--filter", CANARY) == ""
    suite.proxy.stop()
    wait_for(lambda: not (suite.proxy.home.path / "postgres" / "postmaster.pid").exists())
    files = everything(suite.proxy.home.path)
    assert b"a-model" in files  # the tables are among them
    assert CANARY.encode() not in files


def _is_private(suite: Suite) -> bool:
    """Is the rule in force at the proxy?"""
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hello!"}]}
    post(suite.proxy, URLS["openai.chat"], body, {"x-team": "law"})
    newest = flows(suite, 1)[-1]
    return bool(newest["namespace"] == "law")
