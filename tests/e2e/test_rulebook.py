"""Rules of the database reach a proxy that runs, by a file of its home."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmproxy_core import rulebook
from llmproxy_core.simulator import Simulator
from llmproxy_core.store.namespaces import Rule
from tests.mitm import Mitmdump, wait_for

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture
def proxy(tmp_path: Path, simulator: Simulator) -> Iterator[Mitmdump]:
    config = '[[namespaces]]\nname = "mini"\nmatch = { model = "*-mini" }\n'
    with Mitmdump(tmp_path, simulator=simulator, config=config) as running:
        yield running


def namespace(proxy: Mitmdump, model: str = "gpt-5") -> str:
    """Of a call that is made now."""
    body = {"model": model, "messages": [{"role": "user", "content": str(time.monotonic())}]}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust()) as http:
        assert http.post(URL, json=body).status_code == 200
    return proxy.calls()[-1].opened.namespace


def test_they_count_within_two_seconds_and_after_those_of_the_file(proxy):
    assert namespace(proxy) == "default"

    rulebook.write(proxy.home, [Rule("all", match={"provider": ["openai"]})])
    written = time.monotonic()
    wait_for(lambda: namespace(proxy) == "all")
    assert time.monotonic() - written < 4  # the target is 2, on an idle machine
    assert namespace(proxy, "gpt-5-mini") == "mini"


def test_a_broken_file_changes_nothing_and_is_told_once(proxy):
    rulebook.write(proxy.home, [Rule("all", match={"provider": ["openai"]})])
    wait_for(lambda: namespace(proxy) == "all")

    proxy.home.rulebook.write_text('{"version": 1, "namespaces": [{"name": "a b"}]}')
    os.utime(proxy.home.rulebook, (1, 1))
    told = "rulebook.json: `namespaces[0].name` = 'a b': allowed is letters"
    wait_for(lambda: told in proxy.output)
    time.sleep(rulebook.SECONDS * 2)
    assert namespace(proxy) == "all"
    assert proxy.output.count(told) == 1


def test_a_folder_that_an_agent_works_in_finds_its_calls(proxy: Mitmdump) -> None:
    rulebook.write(proxy.home, [Rule("shop", match={"session": ["/home/*/shop"]})])

    def ask(system: str) -> str:
        body = {
            "model": "claude-opus-5",
            "max_tokens": 10,
            "system": system,
            "messages": [{"role": "user", "content": str(time.monotonic())}],
        }
        with httpx.Client(proxy=proxy.url, verify=proxy.trust()) as http:
            http.post("https://api.anthropic.com/v1/messages", json=body)
        return proxy.calls()[-1].opened.namespace

    wait_for(
        lambda: ask("# Environment\n - Primary working directory: /home/anna/shop\n") == "shop"
    )
    assert ask("# Environment\n - Primary working directory: /home/anna/other\n") == "default"
