"""Rules of the database reach a proxy that runs, by a file of its home."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from llmproxy_core import rulebook
from llmproxy_core.simulator import Simulator
from llmproxy_core.store.namespaces import Rule
from tests.mitm import Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture
def proxy(tmp_path: Path, simulator: Simulator) -> Iterator[Mitmdump]:
    config = '[[namespaces]]\nname = "mini"\nmatch = { model = "*-mini" }\n'
    with Mitmdump(tmp_path, simulator=simulator, config=config) as running:
        yield running


def namespace(proxy: Mitmdump, model: str = "gpt-5") -> str:
    """Of a call that is made now."""
    body = {"model": model, "messages": [{"role": "user", "content": str(time.monotonic())}]}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        assert http.post(URL, json=body).status_code == 200
    return proxy.calls()[-1].opened.namespace


def test_they_count_within_two_seconds_and_after_those_of_the_file(proxy):
    assert namespace(proxy) == "default"

    def took(name: str) -> float:
        written = time.monotonic()
        rulebook.write(proxy.home, [Rule(name, match={"provider": ["openai"]})])
        wait_for(lambda: namespace(proxy) == name)
        return time.monotonic() - written

    # the target is 2, on an idle machine
    assert min(map(took, ("one", "two", "three"))) < 4
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
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
            http.post("https://api.anthropic.com/v1/messages", json=body)
        return proxy.calls()[-1].opened.namespace

    wait_for(
        lambda: ask("# Environment\n - Primary working directory: /home/anna/shop\n") == "shop"
    )
    assert ask("# Environment\n - Primary working directory: /home/anna/other\n") == "default"


class Codex:
    """Frames as Codex sends them: a warm-up that says nothing, then a turn with its folder."""

    def __init__(self, proxy: Mitmdump) -> None:
        self._proxy = proxy

    def turn(self, folder: str, session: str) -> str:
        """The name of its tool as the model has called it, back from the provider."""
        tool = {"type": "function", "name": "find", "parameters": {}}
        nested = {"type": "namespace", "name": "functions", "tools": [tool]}
        context = f"<environment_context>\n  <cwd>{folder}</cwd>\n</environment_context>"
        said = [{"type": "input_text", "text": text} for text in (context, "use a tool")]
        items = [
            {"type": "additional_tools", "role": "developer", "tools": [nested]},
            {"type": "message", "role": "user", "content": said},
        ]
        frame = {"type": "response.create", "model": "gpt-5", "input": items}
        with connect(
            "wss://api.openai.com/v1/responses",
            ssl=self._proxy.trust(),
            proxy=self._proxy.url,
            additional_headers={"session-id": session},
            open_timeout=60,
        ) as socket:
            socket.send(json.dumps({**frame, "input": [], "generate": False}))
            socket.send(json.dumps(frame))
            while True:
                event = json.loads(socket.recv(60))
                output = event.get("response", {}).get("output")
                if event["type"] == "response.completed" and output:
                    return str(output[0]["name"])


def test_a_websocket_is_of_the_namespace_that_its_first_frames_tell(proxy, simulator):
    rules = [
        Rule("shop", "shop__", {"session": ["/home/*/shop"]}),
        Rule("five", "five__", {"model": ["gpt-5"]}),
    ]
    rulebook.write(proxy.home, rules)
    wait_for(lambda: namespace(proxy) == "five")
    codex, ids = Codex(proxy), [f"01a202e5-7194-75e3-b1ea-69512{n}b677cf" for n in range(2)]

    simulator.seen.clear()
    assert codex.turn("/home/anna/shop", ids[0]) == "find"
    assert codex.turn("/home/anna/other", ids[1]) == "find"
    sent = [seen.body for seen in simulator.seen if b"additional_tools" in seen.body]
    assert [b"shop__find" in body for body in sent] == [True, False]
    assert [b"five__find" in body for body in sent] == [False, True]
    calls = [call for call in proxy.calls() if b"additional_tools" in call.request]
    assert [call.opened.namespace for call in calls] == ["shop", "five"]
    assert [call.opened.prefix for call in calls] == ["shop__", "five__"]


def test_calls_beside_a_conversation_are_of_the_folder_of_their_session(proxy):
    rulebook.write(proxy.home, [Rule("shop", match={"session": ["/home/*/shop"]})])
    session = {"x-claude-code-session-id": "3c8c8f21-d754-401a-9908-6b0583efaecb"}

    def ask(**more: object) -> str:
        body = {"model": "claude-opus-5", "max_tokens": 10, "messages": [], **more}
        with httpx.Client(
            proxy=proxy.url, verify=proxy.trust(), headers=session, timeout=60
        ) as http:
            http.post("https://api.anthropic.com/v1/messages", json=body)
        return str(proxy.calls()[-1].opened.namespace)

    wait_for(lambda: ask(system="Primary working directory: /home/anna/shop\n") == "shop")
    assert ask(system="Make a title of it.") == "shop"
