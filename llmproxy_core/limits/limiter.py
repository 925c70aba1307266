"""Reserve before a call, settle after it: so calls at the same time cannot pass a budget together.

Counted in one file of the home, for all its proxies. A reservation that nobody settles counts as
spent: of a process that was killed, and of a stream whose end nobody told.
"""

from collections.abc import Sequence
from pathlib import Path

from llmproxy_core.limits.call import Amount, Call, Kind, Level, Refusal
from llmproxy_core.limits.clock import Clock
from llmproxy_core.limits.counters import Slots
from llmproxy_core.limits.ledger import Ledger
from llmproxy_core.limits.meters import Limit, Meter
from llmproxy_core.sections.limits import Fact, LimitConfig

PLANS = 4096
"""Kinds of calls whose counters are remembered."""

ROUNDS = 4
"""A counter that takes its place may take it from one that was asked before it: ask again."""


class Plan:
    """The counters that calls with the same facts meet; `all` of them with their kind.

    Methods are looked up once: a call may have ten limits, and as many microseconds for them.
    """

    __slots__ = (
        *("all", "corrections", "kinds", "meters", "requests", "slots", "strict", "takes"),
        "waits",
    )

    def __init__(self, meters: Sequence[Meter]) -> None:
        self.meters = tuple(meters)
        self.kinds = frozenset(meter.kind for meter in meters)
        self.all = tuple((meter.counter, AMOUNTS.index(meter.kind)) for meter in meters)
        self.waits = tuple((counter.wait, kind) for counter, kind in self.all)
        self.takes = tuple((counter.take, kind) for counter, kind in self.all)
        self.corrections = tuple(
            (counter.correct, kind) for counter, kind in self.all if kind in (TOKENS, USD)
        )
        self.requests = tuple(counter for counter, kind in self.all if kind == REQUESTS)
        self.slots = tuple(counter for counter, kind in self.all if kind == CONCURRENT)
        self.strict = next((m for m in meters if m.kind == "usd" and m.unpriced == "refuse"), None)


AMOUNTS: tuple[Kind, ...] = ("requests", "tokens", "usd", "concurrent")
REQUESTS, TOKENS, USD, CONCURRENT = range(4)


class Reservation:
    """What is set aside for a call under way. `at`: when, in seconds since 1970."""

    __slots__ = ("amount", "at", "done", "lease", "plan")

    def __init__(self, plan: Plan, at: float, amount: Amount) -> None:
        self.plan = plan
        self.at = at
        self.amount = amount
        self.done = False
        self.lease = ""
        """By which a storage elsewhere knows it; empty: there it is not counted."""


class Limiter:
    """The limits of one proxy. Not thread-safe.

    `fault` says why what is counted will be forgotten when the process ends; empty: it will not.
    """

    def __init__(
        self, limits: Sequence[LimitConfig], path: Path | None = None, clock: Clock | None = None
    ) -> None:
        self._ledger = Ledger(path)
        self._clock = clock or Clock()
        self._slots: dict[str, Slots] = {}
        self._plans: dict[Call, Plan] = {}
        self._closed = False
        self.use(limits)

    @property
    def fault(self) -> str:
        return self._ledger.fault

    def use(self, limits: Sequence[LimitConfig]) -> None:
        """Other limits from now on; what was counted under a name stays counted."""
        self._limits = [Limit(config) for config in limits]
        self._wanted: frozenset[Fact] = frozenset().union(*(one.wanted for one in self._limits))
        self._forget()

    def reserve(self, call: Call, amount: Amount) -> Reservation | Refusal:
        """Set aside what a call may take, in all its limits or, where one refuses, in none.

        Of several limits that refuse, the one with the longest wait is told.
        """
        plan = self._plans.get(call) or self._plan(call)
        now = self._clock.now()
        if not plan.all:
            return Reservation(plan, now, amount)
        if amount.usd is None and plan.strict is not None:
            return plan.strict.unknown_price(call)
        tokens, usd = max(0.0, amount.tokens), max(0.0, amount.usd or 0.0)
        amounts = 1.0, tokens, usd, 1.0
        ledger = self._ledger
        ledger.lock()
        try:
            for _ in range(ROUNDS):
                placed = ledger.placed
                for wait, kind in plan.waits:
                    if wait(now, amounts[kind]):
                        return _refusal(plan, now, amounts)
                if ledger.placed == placed:
                    break
            for take, kind in plan.takes:
                take(now, amounts[kind])
        finally:
            ledger.unlock()
        return Reservation(plan, now, amount)

    async def ask(self, call: Call, amount: Amount) -> Reservation | Refusal:
        """`reserve`, as `shared.SharedLimiter` does it over the network."""
        return self.reserve(call, amount)

    def settle(self, reservation: Reservation, spent: Amount | None = None) -> None:
        """The call has ended, and has taken so much; None: nobody knows, what was reserved stands.

        Once for a reservation; what is said later is not heard.
        """
        reserved = reservation.amount
        if spent is None:
            spent = reserved
        usd = spent.usd if spent.usd is not None else reserved.usd
        self._end(
            reservation,
            max(0.0, spent.tokens) - max(0.0, reserved.tokens),
            max(0.0, usd or 0.0) - max(0.0, reserved.usd or 0.0),
        )

    def release(self, reservation: Reservation) -> None:
        """The call never reached the provider: all is given back, the request, too."""
        plan = reservation.plan
        if plan.requests and not reservation.done and not self._closed:
            self._ledger.lock()
            now = self._clock.now()
            for counter in plan.requests:
                counter.correct(now, -1.0, reservation.at)
            self._ledger.unlock()
        self.settle(reservation, Amount())

    def count(self, call: Call, spent: Amount) -> None:
        """A call that nobody could ask about has ended: count it, whether it is too much or not."""
        self.counted(call, spent)

    def counted(self, call: Call, spent: Amount) -> Reservation:
        """`count`; and what was counted, as if it had been reserved."""
        plan = self._plans.get(call) or self._plan(call)
        amounts = 1.0, max(0.0, spent.tokens), max(0.0, spent.usd or 0.0), 1.0
        now = self._clock.now()
        self._ledger.lock()
        for (wait, kind), (take, _) in zip(plan.waits, plan.takes, strict=True):
            if kind != CONCURRENT:
                wait(now, amounts[kind])
                take(now, amounts[kind])
        self._ledger.unlock()
        return Reservation(plan, now, spent)

    def may_cover(self, call: Call) -> bool:
        """Does some limit cover such calls of any model?"""
        return any(limit.may_hold(call) for limit in self._limits)

    def kinds(self, call: Call) -> frozenset[Kind]:
        """What the limits of such a call count; nothing: no limit covers it."""
        return (self._plans.get(call) or self._plan(call)).kinds

    @property
    def wanted(self) -> frozenset[Fact]:
        """The facts of a call that some limit looks at, in `match` or `per`."""
        return self._wanted

    @property
    def known(self) -> list[Call]:
        """Those that were asked about, the latest last; not all of them, for ever."""
        return list(self._plans)

    def levels(self, call: Call) -> list[Level]:
        """How far the limits of such a call are used up."""
        plan = self._plans.get(call) or self._plan(call)
        now = self._clock.now()
        self._ledger.lock()
        levels = [
            Level(m.limit, m.kind, m.whose, m.counter.used(now), m.burst or m.allowed)
            for m in plan.meters
        ]
        self._ledger.unlock()
        return levels

    def close(self) -> None:
        """What ends after it counts as it was reserved; what is asked after it passes."""
        self._closed = True
        self._plans.clear()
        self._limits = []
        self._ledger.close()

    def _end(self, reservation: Reservation, tokens: float, usd: float) -> None:
        if reservation.done or self._closed:
            return
        reservation.done = True
        plan = reservation.plan
        for counter in plan.slots:
            counter.correct(0.0, -1.0, 0.0)
        if not plan.corrections or not (tokens or usd):
            return
        now = self._clock.now()
        self._ledger.lock()
        for correct, kind in plan.corrections:
            if by := tokens if kind == TOKENS else usd:
                correct(now, by, reservation.at)
        self._ledger.unlock()

    def _plan(self, call: Call) -> Plan:
        if len(self._plans) >= PLANS:
            self._forget()
        meters = [
            meter
            for limit in self._limits
            if limit.holds(call)
            for meter in limit.meters(call, self._ledger, self._slots)
        ]
        plan = self._plans[call] = Plan(meters)
        return plan

    def _forget(self) -> None:
        self._plans.clear()
        self._slots = {id: slots for id, slots in self._slots.items() if slots.taken}


def _refusal(plan: Plan, now: float, amounts: tuple[float, float, float, float]) -> Refusal:
    waits = [counter.wait(now, amounts[kind]) for counter, kind in plan.all]
    longest = max(waits)
    at = waits.index(longest)
    return plan.meters[at].refusal(longest, amounts[plan.all[at][1]])
