"""Limits that several proxies share, counted in Redis.

Each call is counted here first (`limiter.py`), so that what one proxy may not do costs no way to
Redis, and that there is a count to go by while Redis is away. What was spent meanwhile is told to
Redis when it is back. Nothing here blocks the loop.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import uuid_utils

from llmproxy_core.breaker import Breaker
from llmproxy_core.errors import ConfigError
from llmproxy_core.limits.call import Amount, Call, Kind, Level, Refusal
from llmproxy_core.limits.limiter import Limiter, Reservation
from llmproxy_core.limits.meters import Meter
from llmproxy_core.limits.scripts import RENEW, RESERVE, SETTLE
from llmproxy_core.plural import counted
from llmproxy_core.sections.limits import Fact, LimitConfig

TIMEOUT = 0.25
"""Seconds that a call waits for Redis."""
LEASE = 60.0
"""Seconds after which a call of a proxy that is gone is no longer under way."""
RENEWED = 20.0
PENDING = 10_000
"""Ends of calls that are kept while Redis is away."""
NEVER = 1e11
PREFIX = "{llmproxy}:"
"""In braces: a cluster keeps all counters in one place, for they are looked at in one step."""


class SharedLimiter:
    """As `Limiter`. `keep_up` is to be run beside it.

    Raises:
        ConfigError: the package `redis` is not there.
    """

    def __init__(
        self,
        local: Limiter,
        url: str,
        when_away: Literal["open", "closed"],
        tell: Callable[[str], None],
    ) -> None:
        self._local = local
        self._when_away = when_away
        self._tell = tell
        self._where = where(url)
        self._redis, self._faults = _client(url)
        self._breaker = Breaker(1, 0.5, 5.0)
        self._away = False
        self._run_reserve = self._redis.register_script(RESERVE)
        self._run_settle = self._redis.register_script(SETTLE)
        self._run_renew = self._redis.register_script(RENEW)
        self._under_way: dict[str, Reservation] = {}
        self._ends: deque[tuple[list[str], list[Any]]] = deque()
        self._lost = 0
        self._ended = asyncio.Event()

    @property
    def fault(self) -> str:
        return self._local.fault

    def use(self, limits: Sequence[LimitConfig]) -> None:
        self._local.use(limits)

    def may_cover(self, call: Call) -> bool:
        return self._local.may_cover(call)

    def kinds(self, call: Call) -> frozenset[Kind]:
        return self._local.kinds(call)

    @property
    def wanted(self) -> frozenset[Fact]:
        return self._local.wanted

    @property
    def known(self) -> list[Call]:
        return self._local.known

    def levels(self, call: Call) -> list[Level]:
        """By what this proxy has counted."""
        return self._local.levels(call)

    def count(self, call: Call, spent: Amount) -> None:
        """See `Limiter.count`. Redis takes what it has not reserved as spent."""
        mine = self._local.counted(call, spent)
        mine.lease = uuid_utils.uuid7().hex
        self._end(mine, spent, "")

    async def ask(self, call: Call, amount: Amount) -> Reservation | Refusal:
        """See `Limiter.reserve`. Takes no longer than TIMEOUT."""
        mine = self._local.reserve(call, amount)
        if isinstance(mine, Refusal) or not mine.plan.meters:
            return mine
        mine.lease = uuid_utils.uuid7().hex
        try:
            refused = await self._reserve(mine)
        except asyncio.CancelledError:
            self.release(mine)
            raise
        if refused is None:
            self._under_way[mine.lease] = mine
            return mine
        if refused.kind != "storage":
            mine.lease = ""  # Redis has kept nothing of it
        self.release(mine)
        return refused

    def settle(self, reservation: Reservation, spent: Amount | None = None) -> None:
        self._end(reservation, spent or reservation.amount, "")
        self._local.settle(reservation, spent)

    def release(self, reservation: Reservation) -> None:
        self._end(reservation, Amount(), "release")
        self._local.release(reservation)

    async def keep_up(self) -> None:
        """Tell Redis of the calls that have ended, and which are still under way; for ever."""
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + RENEWED
        while True:
            with contextlib.suppress(TimeoutError):
                pause = self._breaker.wait if self._ends else renew_at - loop.time()
                if pause > 0 or not self._ends:
                    await asyncio.wait_for(self._ended.wait(), max(0.01, pause))
            self._ended.clear()
            if self._breaker.wait:
                await asyncio.sleep(min(0.1, self._breaker.wait))
            await self._tell_ends()
            if loop.time() >= renew_at:
                await self._renew()
                renew_at = loop.time() + RENEWED

    async def close(self) -> None:
        """Tells what is left to tell, if Redis is there."""
        await self._tell_ends()
        with contextlib.suppress(*self._faults):  # it is away: nothing to take leave of
            await self._redis.aclose()
        self._local.close()

    async def _reserve(self, mine: Reservation) -> Refusal | None:
        amounts = _amounts(mine.amount)
        arguments: list[Any] = [mine.lease, LEASE]
        for meter in mine.plan.meters:
            arguments += meter.kind, meter.allowed, meter.burst, amounts[meter.kind]
        answer = await self._ask(self._run_reserve, _keys(mine), arguments)
        if answer is None:
            return None if self._when_away == "open" else self._closed(mine.plan.meters[0])
        which, wait = int(answer[0]), answer[1]
        if not which:
            return None
        meter = mine.plan.meters[which - 1]
        seconds = float(wait)
        return meter.refusal(seconds if seconds < NEVER else float("inf"), amounts[meter.kind])

    def _closed(self, meter: Meter) -> Refusal:
        said = (
            f"llmproxy: the limit {meter.limit} cannot be looked up, {self._where} does not answer,"
            ' and limiter.when_away is "closed". Try again later.'
        )
        return Refusal(meter.limit, "storage", max(1.0, self._breaker.wait), said)

    async def _ask(self, script: Any, keys: list[str], arguments: list[Any]) -> Any:
        """What the script says; None: Redis does not."""
        if not self._breaker.may_ask():
            return None
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await script(keys=keys, args=arguments)
        except self._faults as exc:
            self._breaker.failed()
            if not self._away:
                self._away = True
                goes = "each proxy goes by its own count"
                goes = goes if self._when_away == "open" else "what limits cover does not pass"
                self._tell(f"limits: {self._where} does not answer ({_reason(exc)}): {goes}")
            return None
        self._breaker.succeeded()
        if self._away:
            self._away = False
            self._tell(f"limits: {self._where} answers again")
        return answer

    def _end(self, reservation: Reservation, spent: Amount, how: str) -> None:
        if reservation.done or not reservation.lease:
            return
        self._under_way.pop(reservation.lease, None)
        reserved = _amounts(reservation.amount)
        taken = _amounts(spent if spent.usd is not None else Amount(spent.tokens, reserved["usd"]))
        arguments: list[Any] = [reservation.lease, how]
        for meter in reservation.plan.meters:
            arguments += meter.kind, meter.allowed, reserved[meter.kind], taken[meter.kind]
        if len(self._ends) >= PENDING:
            self._ends.popleft()
            self._lost += 1
        self._ends.append((_keys(reservation), arguments))
        self._ended.set()

    async def _tell_ends(self) -> None:
        while self._ends:
            end = self._ends[0]
            if await self._ask(self._run_settle, *end) is None:
                return
            if self._ends and self._ends[0] is end:
                self._ends.popleft()
        if self._lost:
            self._tell(f"limits: not counted while Redis was away: {counted(self._lost, 'call')}")
            self._lost = 0

    async def _renew(self) -> None:
        keys, arguments = list[str](), list[Any]([LEASE])
        for lease, reservation in self._under_way.items():
            for meter in reservation.plan.meters:
                if meter.kind == "concurrent":
                    keys.append(PREFIX + meter.id)
                    arguments.append(lease)
        if keys:
            await self._ask(self._run_renew, keys, arguments)


def _keys(reservation: Reservation) -> list[str]:
    lease = f"{PREFIX}lease/{reservation.lease}"
    return [lease, *(PREFIX + meter.id for meter in reservation.plan.meters)]


def _amounts(amount: Amount) -> dict[str, float]:
    usd = max(0.0, amount.usd or 0.0)
    return {"requests": 1.0, "tokens": max(0.0, amount.tokens), "usd": usd, "concurrent": 1.0}


def _client(url: str) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError
    except ImportError:
        raise ConfigError(
            "limiter.storage: counting in Redis wants a package that is not installed: "
            "pip install 'llmproxy[redis]'"
        ) from None
    client = Redis.from_url(
        url,
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # it would be looked up in files, on the loop
    )
    return client, (RedisError, OSError, TimeoutError)


async def problem(url: str) -> str:
    """Why the storage cannot be used now; empty: it can."""
    try:
        client, faults = _client(url)
    except ConfigError as exc:
        return str(exc)
    try:
        await client.ping()
    except faults as exc:
        return f"it does not answer ({_reason(exc)})"
    finally:
        await client.aclose()
    return ""


def where(url: str) -> str:
    """The storage, without its password."""
    parts = urlsplit(url)
    return f"Redis at {parts.hostname}:{parts.port or 6379}" if parts.hostname else "Redis"


def _reason(exc: Exception) -> str:
    """The kind of fault alone: its text may hold the address with the password."""
    return type(exc).__name__
