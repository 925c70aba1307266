"""Limits through restarts and kills, of several proxies, and counted in Redis."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.limited import CHAT, ask, client, counted, during, limit, used
from tests.e2e.namespaced import said
from tests.mitm import Mitmdump, wait_for

pytestmark = pytest.mark.system

CONFIG = "\n".join(
    [
        limit("few", requests_per_minute=1, burst=3),
        limit("tokens", tokens_per_minute=5000),
        limit("narrow", concurrent=2),
    ]
)
REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    REDIS is None, reason="needs redis-server (Debian's package of this name)"
)


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture
def proxy(tmp_path: Path, provider: Simulator) -> Mitmdump:
    """Not started yet."""
    return Mitmdump(tmp_path, simulator=provider, config=CONFIG)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_brings_no_new_budget(proxy, number):
    with proxy:
        assert [ask(proxy, "few").status_code for _ in range(2)] == [200, 200]
        spent = sum(ask(proxy, "tokens").json()["usage"]["total_tokens"] for _ in range(2))
        counted(proxy, "tokens", spent)
        proxy.stop(number)
        proxy.start()
        assert [ask(proxy, "few").status_code for _ in range(2)] == [200, 429]
        spent += ask(proxy, "tokens").json()["usage"]["total_tokens"]
        counted(proxy, "tokens", spent)


def test_a_call_under_way_in_a_killed_proxy_counts_as_what_was_set_aside(proxy):
    body = {"model": "gpt-5", "messages": said("hi"), "stream": True, "max_tokens": 4000}
    headers = {"x-team": "tokens", "x-simulate": "delay=5000"}
    with proxy:
        with client(proxy) as http, http.stream("POST", CHAT, json=body, headers=headers) as stream:
            next(stream.iter_raw())
            proxy.stop(signal.SIGKILL)
        proxy.start()
        assert ask(proxy, "tokens", max_tokens=2000).status_code == 429
        assert ask(proxy, "tokens", max_tokens=500).status_code == 200
        wait_for(lambda: 4000 < used(proxy, "tokens") < 5000)


def test_budgets_hold_through_kills_under_load(proxy, provider):
    """What reached the provider, by its own count, is no more than the budget, whatever is
    killed."""
    provider.seen.clear()
    spent: list[int] = []
    began = time.monotonic()

    def work(number: int) -> None:
        for turn in range(8):
            try:
                text = f"{number} {turn} " + "word " * 50
                answer = ask(proxy, "tokens", "delay=5", max_tokens=400, messages=said(text))
            except (httpx.HTTPError, OSError):
                time.sleep(0.2)  # nobody is there
                continue
            if answer.status_code == 200:
                spent.append(answer.json()["usage"]["total_tokens"])

    with proxy, ThreadPoolExecutor(6) as threads:
        working = [threads.submit(work, number) for number in range(6)]
        for _ in range(2):
            time.sleep(1)
            proxy.stop(signal.SIGKILL)
            proxy.start()
        for one in working:
            one.result()
    # of each minute that a slow machine takes
    budget = 5000 * (1 + (time.monotonic() - began) // 60)
    assert spent
    assert sum(spent) <= budget
    assert len(provider.seen) * min(spent) <= budget


def test_two_proxies_of_a_home_count_together(tmp_path, provider):
    home = {"LLMPROXY_HOME": str(tmp_path / "home")}
    first, second = (
        Mitmdump(tmp_path / name, simulator=provider, config=CONFIG, environment=home)
        for name in ("first", "second")
    )
    with first, second:
        asked = [ask(proxy, "few").status_code for proxy in (first, second, first, second)]
        assert asked == [200, 200, 200, 429]
        spent = sum(ask(one, "tokens").json()["usage"]["total_tokens"] for one in (first, second))
        counted(first, "tokens", spent)


def test_limits_that_are_changed_hold_within_seconds(proxy, tmp_path):
    config = tmp_path / "mitm.toml"
    with proxy:
        assert [ask(proxy, "few").status_code for _ in range(4)] == [200, 200, 200, 429]
        before = config.read_text()
        config.write_text(before.replace("burst = 3", "burst = 9"))
        wait_for(lambda: ask(proxy, "few").status_code == 200, 30)  # a minute brings one more
        config.write_text(before.replace('name = "few"\nrequests', 'name = "few"\nrequest'))
        wait_for(lambda: "unknown key" in proxy.output or None)
        assert ask(proxy, "few").status_code == 200, "what held before still holds"
        config.write_text("")
        wait_for(lambda: all(ask(proxy, "few").status_code == 200 for _ in range(9)))


def test_a_storage_that_cannot_be_used_is_told_before_anything_is_sent(tmp_path):
    config = '[limiter]\nstorage = "redis://127.0.0.1:1/0"\n' + CONFIG
    program = "import sys; sys.modules['redis'] = sys.modules['redis.asyncio'] = None"
    script = tmp_path / "sitecustomize.py"
    script.write_text(program)
    proxy = Mitmdump(tmp_path, config=config, environment={"PYTHONPATH": str(tmp_path)})
    with pytest.raises(AssertionError, match=r"llmproxy\[redis\]"), proxy:
        pass


class Redis:
    """A server on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._command = [str(REDIS), "--port", "0", "--unixsocket", str(self.socket)]
        self._command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for(self.socket.exists)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.socket.unlink(missing_ok=True)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    pytest.importorskip("redis", reason="needs the package redis")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


def machines(folder: Path, provider: Simulator, redis: Redis, away: str) -> list[Mitmdump]:
    """Two proxies that share nothing but Redis."""
    storage = f'[limiter]\nstorage = "unix://{redis.socket}"\nwhen_away = "{away}"\n'
    return [
        Mitmdump(folder / name, simulator=provider, config=storage + CONFIG)
        for name in ("first", "second")
    ]


def passes(proxy: Mitmdump) -> bool:
    return ask(proxy, "few").status_code == 200


@needs_redis
def test_proxies_of_several_machines_count_together_in_redis(tmp_path, provider, redis):
    first, second = machines(tmp_path, provider, redis, "closed")
    with first, second:
        for proxy in (first, second, first):  # refused while a busy machine lets Redis wait
            wait_for(partial(passes, proxy), 30)
        assert [ask(proxy, "few").status_code for proxy in (first, second)] == [429, 429]
        third = during([first, second], "narrow", lambda: ask(first, "narrow"))
        assert third.status_code == 429
        wait_for(lambda: ask(second, "narrow").status_code == 200)


@needs_redis
def test_parallel_calls_on_several_machines_do_not_pass_a_budget_together(
    tmp_path, provider, redis
):
    proxies = machines(tmp_path, provider, redis, "closed")

    def one(number: int) -> int:
        answer = ask(proxies[number % 2], "tokens", "delay=10", max_tokens=600)
        return answer.json()["usage"]["total_tokens"] if answer.status_code == 200 else 0

    with proxies[0], proxies[1], ThreadPoolExecutor(12) as threads:
        spent = list(threads.map(one, range(48)))
    assert 0 in spent
    assert 0 < sum(spent) <= 5000


@needs_redis
@pytest.mark.parametrize(("away", "statuses"), [("open", [200, 429]), ("closed", [429, 429])])
def test_while_redis_is_away_it_goes_as_configured(tmp_path, provider, redis, away, statuses):
    first, _ = machines(tmp_path, provider, redis, away)
    with first:
        for _ in range(2):
            wait_for(partial(passes, first))
        redis.kill()
        assert [ask(first, "few").status_code for _ in range(2)] == statuses
        assert "does not answer" in first.output
        redis.start()
        wait_for(lambda: ask(first, "narrow").status_code == 200)
