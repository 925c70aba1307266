"""`learning.sync_ms`: requests that wait in mitmdump for what the advisor says."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from llmproxy_core import rulebook
from llmproxy_core.advisor.line import VARIABLE
from llmproxy_core.config import AdvisorConfig
from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.enhancing.instant import NAME
from llmproxy_core.simulator import Simulator
from llmproxy_core.worker.instant import Instant
from tests.mitm import Mitmdump, wait_for
from tests.unit.advisor.openrouter import OpenRouter, said
from tests.unit.enhancing.handing import PROMPT, learnt
from tests.worker.test_instant import change

CONFIG = "[advisor]\nenabled = true\n[learning]\nsync_ms = 500\n"
URL = "https://api.openai.com/v1/chat/completions"
WORDS = "the printer is late again and nobody answers"


@pytest.fixture
def openrouter(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenRouter]:
    monkeypatch.setenv(VARIABLE, "sk-or-v1-0")
    made, loop = OpenRouter(), asyncio.new_event_loop()
    made.answers = [said(change("Answer in one sentence."))]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(60)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def proxy(tmp_path, simulator: Simulator, openrouter: OpenRouter) -> Iterator[Mitmdump]:
    running = Mitmdump(tmp_path, simulator=simulator, config=CONFIG)
    running.home.path.mkdir(parents=True)
    rulebook.write(running.home, [], tables=Tables(patterns={"default": learnt()[0]}))
    instant = Instant(AdvisorConfig(enabled=True, base_url=openrouter.url), running.home)
    instant.start()
    wait_for(running.home.instant.exists)
    with running:
        yield running
    instant.close()


def ask(proxy: Mitmdump, simulator: Simulator, text: str, turns: int = 1) -> list[str]:
    """Who speaks first in each request of a conversation: what is added is a system prompt."""
    messages = [{"role": "user", "content": text}]
    found = []
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        for turn in range(turns):
            answer = http.post(URL, json={"model": "gpt-5", "messages": messages})
            messages.append(answer.json()["choices"][0]["message"])
            messages.append({"role": "user", "content": f"And {turn}?"})
            found.append(json.loads(simulator.seen[-1].body)["messages"][0]["role"])
    return found


def test_all_turns_get_what_was_said_at_the_first(proxy, simulator, openrouter):
    for conversations in range(1, 10):  # the first may be too late, on a busy machine
        roles = ask(proxy, simulator, PROMPT.format(f"{WORDS} {conversations}"), turns=3)
        assert len({*roles}) == 1
        if roles[0] != "user":
            break
    assert roles[0] != "user"
    calls = proxy.closed(3 * conversations)[-3:]
    assert [call.opened.enhanced.applied for call in calls] == [[NAME]] * 3
    assert len(openrouter.asked) == 1


def test_what_is_said_too_late_is_for_the_next_conversation(proxy, simulator, openrouter):
    openrouter.answers[0].pause = 120
    began = time.monotonic()
    assert ask(proxy, simulator, PROMPT.format(WORDS)) == ["user"]
    assert time.monotonic() - began < 60
    openrouter.answers[0].pause = 0
    wait_for(lambda: ask(proxy, simulator, PROMPT.format(time.monotonic()))[0] != "user")
    assert ask(proxy, simulator, PROMPT.format(WORDS), turns=2) == ["user"] * 2
    assert len(openrouter.asked) == 1


def test_what_has_no_pattern_does_not_wait(proxy, simulator, openrouter):
    assert ask(proxy, simulator, "What is the time?") == ["user"]
    assert not openrouter.asked
