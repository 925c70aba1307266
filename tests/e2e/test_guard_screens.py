"""What a person does on the guard's screens, and what programs notice of it: nothing is simulated
but the provider."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC

import httpx
import pytest

from llmproxy_core.config import Config
from llmproxy_core.simulator import Simulator
from llmproxy_core.store.migrate import open_store
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource
from tests.e2e.limited import CHAT, client
from tests.mitm import Mitmdump
from tests.tui.stage import PATIENCE, Stage, ready, until

pytestmark = pytest.mark.system

CONFIG = """
[[policies]]
name = "ask-first"
when = 'client.name == "releaser"'
action = "hold"
timeout_seconds = 600
"""
KEY = "AKIA" + "Q7XK2MZP5TRW4JNB"
SIZE = (140, 40)
START_SECONDS = 60
"""The database is started by the worker of the first test."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("screens")
    with (
        Simulator() as provider,
        Mitmdump(folder, simulator=provider, config=CONFIG, worker=True) as running,
    ):
        yield running


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@asynccontextmanager
async def watching(proxy: Mitmdump) -> AsyncIterator[Stage]:
    home = proxy.home
    app = LlmproxyApp(StoreSource(lambda: open_store(Config(), home, "test")), home, zone=UTC)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await until(lambda: app.hub.feed.link == "up", START_SECONDS)
            await ready(pilot)
            yield Stage(app, pilot)
    finally:
        await asyncio.to_thread(app.hub.feed.join, PATIENCE)


def post(proxy: Mitmdump, agent: str, text: str, key: str = "sk-one") -> httpx.Response:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}
    headers = {"user-agent": f"{agent}/1.0", "authorization": f"Bearer {key}"}
    with client(proxy) as http:
        return http.post(CHAT, json=body, headers=headers)


async def answered(answer: "Future[httpx.Response]") -> httpx.Response:
    return await asyncio.wrap_future(answer)


async def test_a_call_that_waits_goes_on_when_it_is_approved(
    proxy: Mitmdump, pool: ThreadPoolExecutor
) -> None:
    async with watching(proxy) as stage:
        answer = pool.submit(post, proxy, "releaser", "Release build 41?")
        await stage.sees("6 Approvals  1 ")
        await stage.press("6")
        await stage.sees("1 call waits", "Release build 41?", "releaser")
        assert not answer.done()
        await stage.press("y")
        assert (await answered(answer)).status_code == 200
        await stage.sees("none waits", "approved by")
        await stage.press("enter")
        await stage.sees("ask-first: approved")


async def test_a_call_that_is_denied_is_told_why(proxy: Mitmdump, pool: ThreadPoolExecutor) -> None:
    async with watching(proxy) as stage:
        answer = pool.submit(post, proxy, "releaser", "Release build 42?")
        await stage.sees("6 Approvals  1 ")
        await stage.press("6")
        await stage.sees("1 call waits", "Release build 42?")
        await stage.press("N")
        await stage.sees("Denied: why?")
        await stage.type("not today")
        await stage.press("enter")
        refused = await answered(answer)
        assert refused.status_code == 403
        assert "not today" in refused.json()["error"]["message"]


async def test_a_secret_is_found_and_seen_by_its_mark_alone(
    proxy: Mitmdump, pool: ThreadPoolExecutor
) -> None:
    async with watching(proxy) as stage:
        await stage.press("4")
        pool.submit(post, proxy, "careless", f"What is wrong with AWS_ACCESS_KEY_ID={KEY} here?")
        await stage.sees("AWS access key", "[secret:aws-access-token:fp_")
        await stage.press("enter")
        await stage.sees("1 in the request: only their marks are stored")
        await stage.press("1")
        await stage.sees("What is wrong with AWS_ACCESS_KEY_ID=[secret:")
        assert KEY not in stage.text()


async def test_calls_with_a_key_that_was_blocked_are_refused(
    proxy: Mitmdump, pool: ThreadPoolExecutor
) -> None:
    text = "Write to anna.moreau@example.org about her refund."
    async with watching(proxy) as stage:
        await stage.press("4")
        first = await answered(pool.submit(post, proxy, "helper", text, "sk-lost"))
        assert first.status_code == 200
        await stage.press("slash")
        await stage.type("family:pii")
        await stage.sees("1 finding", "e-mail address")
        await stage.press("enter", "b")
        await stage.sees("Block the key fp_")
        await stage.press("enter")
        await stage.is_told("is blocked by the policy block-fp_")

        async def refused() -> httpx.Response:
            while True:
                last = await answered(pool.submit(post, proxy, "helper", "Hello!", "sk-lost"))
                if last.status_code != 200:
                    return last
                await asyncio.sleep(0.2)

        assert (await asyncio.wait_for(refused(), PATIENCE)).status_code == 403
        other = await answered(pool.submit(post, proxy, "helper", "Hello!", "sk-other"))
        assert other.status_code == 200
        await stage.press("5")
        await stage.sees("block-fp_", "refuses the call")
