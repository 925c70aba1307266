"""No more than the limit passes, whatever happens in which order."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import limits as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from llmproxy_core.config import LimitConfig
from llmproxy_core.limits import Amount, Call, Limiter, Refusal, Reservation
from llmproxy_core.limits.clock import Clock


def limit(**terms: Any) -> LimitConfig:
    return LimitConfig(**terms)


DAY = 86400.0
NOON = 1_800_014_400.0
WHO = Call("payments", "fp_0123456789ab", "anna", "gpt-4o", "openai")
LIMITS = [
    limit(name="all", requests_per_minute=30, burst=5, tokens_per_minute=1000),
    limit(name="money", usd_per_day=2, per=["namespace"]),
    limit(name="few", concurrent=3),
]
NEAR = 1e-6


class Traffic(RuleBasedStateMachine):
    """What was let through is written down beside the limiter, and added up after each step.

    A call takes no more than was reserved for it; one of a process that was killed took all of it.
    """

    under_way = Bundle("under_way")

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.wall = self.steady = NOON
        self.now = NOON
        self.taken: list[tuple[float, float, float]] = []
        self.open: dict[int, Reservation] = {}
        self.limiter = self._limiter()

    def _limiter(self) -> Limiter:
        clock = Clock(lambda: self.wall, lambda: self.steady)
        return Limiter(LIMITS, self.folder / "counts", clock)

    @rule(
        target=under_way,
        tokens=st.integers(0, 600),
        cents=st.integers(0, 90),
    )
    def ask(self, tokens: int, cents: int):
        answer = self.limiter.reserve(WHO, Amount(tokens, cents / 100))
        if isinstance(answer, Refusal):
            assert answer.retry_after is None or 0 < answer.retry_after <= DAY
            return multiple()
        self.taken.append((self.now, tokens, cents / 100))
        self.open[len(self.taken) - 1] = answer
        return len(self.taken) - 1

    @rule(call=consumes(under_way), share=st.floats(0, 1))
    def settle(self, call: int, share: float) -> None:
        if call in self.open:
            at, tokens, usd = self.taken[call]
            self.taken[call] = (at, tokens * share, usd * share)
            self.limiter.settle(self.open.pop(call), Amount(tokens * share, usd * share))

    @rule(call=consumes(under_way))
    def hang_up(self, call: int) -> None:
        if call in self.open:
            self.limiter.settle(self.open.pop(call), None)

    @rule(call=consumes(under_way))
    def release(self, call: int) -> None:
        if call in self.open:
            self.taken[call] = (0.0, 0.0, 0.0)
            self.limiter.release(self.open.pop(call))

    @rule(seconds=st.one_of(st.floats(0, 5), st.floats(0, 100), st.just(DAY)))
    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds
        self.now += seconds

    @rule(seconds=st.floats(0, 3 * DAY))
    def clock_goes_backwards(self, seconds: float) -> None:
        self.limiter.levels(WHO)  # the clock has been seen to be later
        self.wall -= seconds

    @rule()
    def clock_is_put_right(self) -> None:
        self.wall = self.now

    @rule()
    def crash(self) -> None:
        self.wall = self.now
        self.limiter.close()
        self.open = {}
        self.limiter = self._limiter()

    @rule()
    def refused_calls_pass_when_they_were_told_to(self) -> None:
        answer = self.limiter.reserve(WHO, Amount(700, 0.1))
        if isinstance(answer, Reservation):
            self.limiter.release(answer)
        elif answer.retry_after and answer.kind != "concurrent" and len(self.open) < 3:
            self.wait(answer.retry_after + 0.001)
            again = self.limiter.reserve(WHO, Amount(700, 0.1))
            assert isinstance(again, Reservation)
            self.limiter.release(again)

    @invariant()
    def no_limit_is_passed(self) -> None:
        taken = [one for one in self.taken if one[0]]
        for start, *_ in taken[-20:]:
            minute = [one for one in taken if start <= one[0] < start + 60]
            assert sum(one[1] for one in minute) <= 1000 + NEAR
            assert len(minute) <= 5 + 30 * (minute[-1][0] - start) / 60 + 1e-3
            day = [one for one in taken if one[0] // DAY == start // DAY]
            assert sum(one[2] for one in day) <= 2 + NEAR
        assert len(self.open) <= 3

    def teardown(self) -> None:
        self.limiter.close()
        shutil.rmtree(self.folder)


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 60)), min_size=1, max_size=60),
)
@settings(deadline=None)
def test_any_sixty_seconds_hold_no_more_than_the_limit(calls):
    """And no fewer pass than in the next 66 seconds: what is full empties by itself."""
    time = [NOON]
    limiter = Limiter(
        [limit(name="all", tokens_per_minute=100)],
        clock=Clock(lambda: time[0], lambda: time[0]),
    )
    passed = []
    for pause, tokens in calls:
        time[0] += pause
        if isinstance(limiter.reserve(WHO, Amount(tokens)), Reservation):
            passed.append((time[0], tokens))
        else:
            recent = sum(n for at, n in passed if at > time[0] - 66)
            assert recent + tokens > 100
    for start, _ in passed:
        assert sum(n for at, n in passed if start <= at < start + 60) <= 100


def test_it_never_lets_through_what_the_package_limits_refuses(monkeypatch):
    """Its moving window is exact, but cannot give back, nor remember."""
    time = [NOON]
    monkeypatch.setattr("time.time", lambda: time[0])
    storage = peer.storage.MemoryStorage()
    exact = peer.strategies.MovingWindowRateLimiter(storage)
    item = peer.RateLimitItemPerMinute(50)
    ours = Limiter(
        [limit(name="all", tokens_per_minute=50)],
        clock=Clock(lambda: time[0], lambda: time[0]),
    )
    for step in range(3000):
        time[0] += (step * 7919 % 13) / 10
        if isinstance(ours.reserve(WHO, Amount(1)), Reservation):
            assert exact.hit(item)
    storage.timer.cancel()
