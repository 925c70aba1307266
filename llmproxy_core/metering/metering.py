"""The limits of a proxy with all they need: what a call may take, what it took, and what changes.

Nothing here waits for a disk or a price list on the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from llmproxy_core import config
from llmproxy_core.config import Config, LimitConfig
from llmproxy_core.home import Home
from llmproxy_core.limits import Amount, Call, Level, Refusal, Reservation
from llmproxy_core.limits.call import Kind
from llmproxy_core.limits.estimate import PICTURE, Estimator, choices, tokens_allowed, tokens_read
from llmproxy_core.limits.opening import open_limiter
from llmproxy_core.limits.shared import SharedLimiter
from llmproxy_core.metering.levels import Levels
from llmproxy_core.metering.usage import Answered, taken
from llmproxy_core.model import Usage
from llmproxy_core.namespace import facts
from llmproxy_core.pricing import OwnPrices, price
from llmproxy_core.pricing.rates import rates
from llmproxy_core.providers.catalogue import UNBILLED
from llmproxy_core.watched import Watched

SECONDS = 1.0
"""How often `[[limits]]` is looked at, and told how far they are used up."""
AT_ONCE = 32 * 2**10
"""Bytes of an answer that is read where it ends; a longer one in a thread."""
READS_ONLY = ("embed", "rerank", "moderations")
"""In the names of formats in which no text is written."""
LOOKED = 256
"""Kinds of calls, the latest, whose limits are told."""
PROBLEMS = 100
COMMON = "openai", "gpt-4o"
MEASURED: frozenset[Kind] = frozenset({"tokens", "usd"})


class About(NamedTuple):
    """A call, but for its body. `key`: a fingerprint; "": not known."""

    namespace: str
    key: str
    proxy_user: str
    provider: str
    wire: str
    path: str


@dataclass(frozen=True, slots=True)
class Metered:
    """A call as the limits know it. `read`: tokens of its request, estimated."""

    about: About
    model: str
    kinds: frozenset[Kind]
    """What its limits count."""
    read: int = 0

    @property
    def measured(self) -> bool:
        """Does it matter what it takes?"""
        return not MEASURED.isdisjoint(self.kinds)


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is set aside for a call."""

    reservation: Reservation
    call: Metered


class Metering:
    """One a proxy. `tell` hears what a person should know.

    Raises:
        ConfigError: `limiter.storage` wants a package that is not installed.
    """

    def __init__(self, settings: Config, home: Home, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._own = OwnPrices(settings.prices)
        self._written = Watched(settings.source, config.read_limits, settings.limits)
        self._limiter = open_limiter(settings, home, tell)
        self._estimator = Estimator(self._rates)
        self._levels = Levels(home)
        self.kept = False
        """Is there somebody who keeps it fresh and up?"""
        self.under_way: set[asyncio.Task[None]] = set()
        """Answers that are being read."""
        self._problems: dict[str, bool] = {}
        """What there is to tell, and whether it has been; threads find some of it."""
        self._use(settings.limits)

    @property
    def active(self) -> bool:
        """Is there any limit?"""
        return self._active

    async def ask(
        self, about: About, read: Callable[[], bytes], model: str = "", unread_bytes: int = 0
    ) -> Reserved | Refusal:
        """Set aside what a call may take, before it is sent.

        `read`: its body without content codings; asked if it matters. `unread_bytes`: of a body
        that cannot be waited for. `model`: if the body does not tell.
        """
        call, body = Call(about.namespace, about.key, about.proxy_user, model, about.provider), b""
        if self._reads and self._limiter.may_cover(call):
            body = read()
            model = facts.model(about.path, body) or model
            call = call._replace(model=model)
        made, amount = Metered(about, model, self._limiter.kinds(call)), Amount()
        if made.measured and about.wire not in UNBILLED:
            count = PICTURE * (unread_bytes >> 20) if unread_bytes else tokens_read(body)
            made = Metered(about, model, made.kinds, count)
            amount = await self._estimate(made, body)
        found = await self._limiter.ask(call, amount)
        return found if isinstance(found, Refusal) else Reserved(found, made)

    def release(self, reserved: Reserved) -> None:
        """The call was not sent."""
        self._limiter.release(reserved.reservation)

    def settle(self, reserved: Reserved, answer: Answered | None) -> None:
        """The call has ended with this answer; None: nobody knows what it took, and it counts as
        what was set aside. On the event loop; a long answer is read beside it."""
        reservation, call = reserved.reservation, reserved.call
        if answer is None or not call.measured:
            self._limiter.settle(reservation)
        elif answer.status >= 400 or call.about.wire in UNBILLED:
            self._limiter.settle(reservation, Amount())
        elif sum(map(len, answer.body)) <= AT_ONCE and self._has_price(call):
            self._limiter.settle(reservation, self._spent(call, answer))
        else:
            self._later(self._settle_later(reserved, answer))

    def count(self, about: About, model: str, answer: Answered) -> None:
        """A call has ended that nobody could ask about, such as a turn that a voice began."""
        call = Call(about.namespace, about.key, about.proxy_user, model, about.provider)
        if kinds := self._limiter.kinds(call):
            spent = self._spent(Metered(about, model, kinds), answer) or Amount()
            self._limiter.count(call, spent)

    async def keep_fresh(self) -> None:
        """Look at `[[limits]]`, and tell how far they are used up; for ever."""
        await asyncio.to_thread(self._levels.sweep)
        while True:
            try:
                await self._look()
            except Exception as exc:  # noqa: BLE001  fails open: the limits stay as they are
                self._problem(f"the limits stay as they were: {exc!r}")
            self._tell_problems()
            await asyncio.sleep(SECONDS)

    async def keep_up(self) -> None:
        """What a storage elsewhere has to be told; for ever, if there is one."""
        if isinstance(self._limiter, SharedLimiter):
            await self._limiter.keep_up()

    async def close(self) -> None:
        """The proxy ends. What ends after it counts as it was reserved."""
        await asyncio.gather(*self.under_way, return_exceptions=True)
        if isinstance(self._limiter, SharedLimiter):
            await self._limiter.close()
        self._levels.remove()

    def _use(self, limits: Sequence[LimitConfig]) -> None:
        self._limiter.use(limits)
        self._active = bool(limits)
        self._priced = any(one.usd_per_day is not None for one in limits)
        counts = self._priced or any(one.tokens_per_minute for one in limits)
        self._reads = counts or "model" in self._limiter.wanted

    async def _look(self) -> None:
        problems: list[str] = []
        if await asyncio.to_thread(self._written.refresh, problems.append):
            self._use(self._written.value)
        for problem in problems:
            self._tell(problem)
        if self._priced and not self._estimator.knows(*COMMON):  # the price list is read for it
            await asyncio.to_thread(self._estimator.usd, *COMMON, 0.0, 0.0)
        levels: list[Level] = []
        for call in self._limiter.known[-LOOKED:]:
            levels += self._limiter.levels(call)
            await asyncio.sleep(0)  # calls come first
        if self._levels.changed(levels):
            await asyncio.to_thread(self._levels.write)

    async def _estimate(self, call: Metered, body: bytes) -> Amount:
        provider, wire, model = call.about.provider, call.about.wire, call.model
        priced = "usd" in call.kinds
        if priced and not self._estimator.knows(provider, model):
            await asyncio.to_thread(self._estimator.usd, provider, model, 0.0, 0.0)
        reads_only = any(word in wire for word in READS_ONLY)
        allowed = 0 if reads_only else tokens_allowed(body)
        times = choices(body)
        return self._estimator.amount(provider, model, call.read, allowed, times, priced=priced)

    def _rates(self, provider: str, model: str) -> tuple[float, float] | None:
        try:
            return rates(provider, model, self._own)
        except Exception as exc:  # noqa: BLE001  `unpriced` says what becomes of such calls
            self._problem(f"limits: the price of {model} at {provider} cannot be found: {exc!r}")
            return None

    def _has_price(self, call: Metered) -> bool:
        return "usd" not in call.kinds or self._estimator.knows(call.about.provider, call.model)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _settle_later(self, reserved: Reserved, answer: Answered) -> None:
        spent = await asyncio.to_thread(self._spent, reserved.call, answer)
        self._limiter.settle(reserved.reservation, spent)

    def _spent(self, call: Metered, answer: Answered) -> Amount | None:
        """What a call took; None: nobody knows. From any thread."""
        try:
            found = taken(answer)
            if found.usage is None and not found.whole:
                return None
            usage = _complete(found.usage, call.read, found.written)
            self._estimator.learn(call.about.provider, call.model, usage.output_tokens or 0)
            usd = self._usd(call, found.model or call.model, usage)
            return Amount((usage.input_tokens or 0) + (usage.output_tokens or 0), usd)
        except Exception as exc:  # noqa: BLE001  counts as it was reserved
            self._problem(f"limits: what a call took cannot be read: {exc!r}")
            return None

    def _problem(self, said: str) -> None:
        if len(self._problems) < PROBLEMS:
            self._problems.setdefault(said, False)

    def _tell_problems(self) -> None:
        for said in [said for said, told in self._problems.items() if not told]:
            self._problems[said] = True
            self._tell(said)

    def _usd(self, call: Metered, model: str, usage: Usage) -> float | None:
        if "usd" not in call.kinds:
            return 0.0
        found = price(call.about.provider, model, usage, datetime.now(UTC), self._own).usd
        return None if found is None else float(found)


def _complete(told: Usage | None, read: int, written: int) -> Usage:
    """What the provider did not tell, estimated."""
    usage = told or Usage()
    if usage.input_tokens is None:
        usage.input_tokens = read
    if usage.output_tokens is None:
        usage.output_tokens = written
    return usage
