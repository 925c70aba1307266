"""Against a real redis-server, started and killed here."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core.config import LimitConfig
from llmproxy_core.limits import Amount, Call, Limiter, Refusal, Reservation
from llmproxy_core.limits import shared as shared_module
from llmproxy_core.limits.shared import SharedLimiter

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(
    SERVER is None, reason="needs redis-server (Debian's package of this name)"
)
pytest.importorskip("redis", reason="needs the package redis")
ANNA = Call("payments", "fp_0123456789ab", "anna", "gpt-4o", "openai")


class Redis:
    """A server on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(SERVER), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.socket.parent)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def proxies(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A function that makes the limiters of several proxies, which are patient."""
    monkeypatch.setattr(shared_module, "TIMEOUT", 60.0)
    made: list[tuple[SharedLimiter, asyncio.Task[None]]] = []
    said: list[str] = []

    def make(number: int, when_away: Any = "open", **terms: Any) -> list[SharedLimiter]:
        limits = [LimitConfig(name="team", **terms)]
        fresh = [
            SharedLimiter(Limiter(limits), redis.url, when_away, said.append) for _ in range(number)
        ]
        made.extend((one, asyncio.create_task(one.keep_up())) for one in fresh)
        return fresh

    make.said = said  # type: ignore[attr-defined]
    yield make
    for one, task in made:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await one.close()


async def passed(limiter: SharedLimiter, times: int, amount: Amount) -> list[Reservation]:
    answers = [await limiter.ask(ANNA, amount) for _ in range(times)]
    return [one for one in answers if isinstance(one, Reservation)]


async def until(test: Any) -> None:
    async with asyncio.timeout(60):
        while not await test():  # noqa: ASYNC110  there is nothing that tells of it
            await asyncio.sleep(0.02)


async def test_proxies_share_a_budget_however_they_ask(proxies):
    limiters = proxies(4, usd_per_day=1)

    asked = [one.ask(ANNA, Amount(0, 0.1)) for _ in range(10) for one in limiters]
    answers = await asyncio.gather(*asked)

    assert sum(isinstance(one, Reservation) for one in answers) == 10


@pytest.mark.parametrize(
    ("terms", "amount", "most"),
    [
        ({"requests_per_minute": 60, "burst": 7}, Amount(), 7),
        ({"tokens_per_minute": 700}, Amount(100), 7),
        ({"usd_per_day": 0.7}, Amount(0, 0.1), 7),
        ({"concurrent": 7}, Amount(), 7),
    ],
)
async def test_each_kind_of_limit_is_shared(proxies, terms, amount, most):
    one, other = proxies(2, **terms)

    both = await passed(one, 4, amount) + await passed(other, 20, amount)

    refused = await other.ask(ANNA, amount)
    assert len(both) == most
    assert isinstance(refused, Refusal)
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 86400


async def test_what_was_not_used_can_be_used_by_another_proxy(proxies):
    one, other = proxies(2, usd_per_day=1, tokens_per_minute=100, concurrent=1)
    (call,) = await passed(one, 1, Amount(100, 1))
    assert not await passed(other, 1, Amount(60, 0.6))

    one.settle(call, Amount(40, 0.4))

    async def passes() -> bool:
        return bool(await passed(other, 1, Amount(60, 0.6)))

    await until(passes)
    assert not await passed(one, 1, Amount(1, 0.01))


async def test_a_call_that_was_never_sent_gives_its_request_back(proxies):
    one, other = proxies(2, requests_per_minute=1)
    (call,) = await passed(one, 1, Amount())

    one.release(call)

    async def passes() -> bool:
        return bool(await passed(other, 1, Amount()))

    await until(passes)


async def test_with_redis_away_each_proxy_goes_by_its_own_count(proxies, redis):
    one, other = proxies(2, usd_per_day=1)
    await passed(one, 5, Amount(0, 0.1))
    redis.kill()

    started = time.monotonic()
    assert len(await passed(one, 20, Amount(0, 0.1))) == 5
    assert len(await passed(other, 20, Amount(0, 0.1))) == 10
    assert time.monotonic() - started < 30
    assert "each proxy goes by its own count" in proxies.said[0]
    assert redis.url not in "".join(proxies.said)


async def test_with_redis_away_nothing_passes_where_the_setting_says_so(proxies, redis):
    (one,) = proxies(1, when_away="closed", usd_per_day=1)
    await passed(one, 1, Amount(0, 0.1))
    redis.kill()

    refused = await one.ask(ANNA, Amount(0, 0.1))

    assert isinstance(refused, Refusal)
    assert refused.kind == "storage"
    assert refused.retry_after is not None
    assert [level.used for level in one.levels(ANNA)] == [pytest.approx(0.1)]


async def test_a_call_that_no_limit_covers_does_not_need_redis(proxies, redis):
    (one,) = proxies(1, when_away="closed", usd_per_day=1, match={"namespace": ["other"]})
    redis.kill()

    assert len(await passed(one, 5, Amount(0, 9))) == 5


async def test_what_was_spent_while_redis_was_away_counts_when_it_is_back(proxies, redis):
    one, other = proxies(2, usd_per_day=1)
    redis.kill()
    for call in await passed(one, 9, Amount(0, 0.1)):
        one.settle(call, Amount(0, 0.1))
    redis.start()

    async def told() -> bool:
        return any("answers again" in said for said in proxies.said) and not one._ends

    await until(told)
    assert len(await passed(other, 20, Amount(0, 0.1))) == 1


async def test_an_end_that_is_told_twice_counts_once(proxies):
    (one,) = proxies(1, usd_per_day=1)
    (call,) = await passed(one, 1, Amount(0, 1))
    one.settle(call, Amount(0, 0.5))
    end = one._ends[0]

    async def told() -> bool:
        return not one._ends

    await until(told)
    for _ in range(3):
        await one._run_settle(*end)
    assert len(await passed(one, 20, Amount(0, 0.1))) == 5


async def test_calls_of_a_proxy_that_was_killed_are_not_under_way_for_ever(proxies, monkeypatch):
    monkeypatch.setattr(shared_module, "LEASE", 3.0)
    one, other = proxies(2, concurrent=1)
    await passed(one, 1, Amount())
    assert not await passed(other, 1, Amount())

    await asyncio.sleep(3.2)

    assert len(await passed(other, 1, Amount())) == 1


async def test_calls_under_way_are_renewed(proxies, monkeypatch):
    monkeypatch.setattr(shared_module, "LEASE", 4.0)
    monkeypatch.setattr(shared_module, "RENEWED", 0.1)
    one, other = proxies(2, concurrent=1)
    await passed(one, 1, Amount())

    await asyncio.sleep(5)

    assert not await passed(other, 1, Amount())


async def test_a_server_that_hangs_is_left_alone_after_its_time(redis, proxies, monkeypatch):
    monkeypatch.setattr(shared_module, "TIMEOUT", 0.25)
    (one,) = proxies(1, usd_per_day=1)
    await passed(one, 1, Amount(0, 0.01))
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert len(await passed(one, 400, Amount(0, 0.001))) == 400
        assert time.monotonic() - started < 60
    finally:
        redis.process.send_signal(signal.SIGCONT)


def test_the_password_is_in_no_message():
    said: list[str] = []
    url = "redis://user:canary@127.0.0.1:1/0"

    async def ask() -> None:
        local = Limiter([LimitConfig(name="team", concurrent=1)])
        limiter = SharedLimiter(local, url, "closed", said.append)
        answer = await limiter.ask(ANNA, Amount())
        assert isinstance(answer, Refusal)
        said.append(answer.said)
        await limiter.close()

    asyncio.run(ask())
    assert "127.0.0.1:1" in "".join(said)
    assert "canary" not in "".join(said)
