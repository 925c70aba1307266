"""Sudden changes of a stream: cumulative sums (Page, 1954) of how far values lie above the median.

With the slack and the limit here a change to the fivefold is seen within ten to twenty values where
they scatter by a factor of e; values that only scatter reach the limit once in some 100,000.
"""

import math

import msgspec

from llmproxy_core.anomaly.usual.spread import Spread, level

SLACK, LIMIT = 0.7, 6.0
"""In deviations."""
WIDEST = 3.0
"""So much of one value counts."""
WINDOW = 8
LEAST_TIMES = 2.5
"""The middle of the last WINDOW values must be so many times the median."""
QUIET = 100
"""Values after an alarm during which there is none again."""
HUGE_TIMES, HUGE_RECORD = 30.0, 5.0
"""One value alone: so many times the median, and so many times the largest so far."""
COLD = 50
GAPS = 15
"""Calls over which the time is taken."""
FASTER = 3.2
FAR = 3.2
FAILED_LIMIT = 12.0
RAREST, MOST_FAILED = 0.01, 0.3
FORGETTING = 0.005


class Level(msgspec.Struct):
    """Of tokens, cost, time ..."""

    spread: Spread = msgspec.field(default_factory=Spread)
    sum: float = 0.0
    recent: list[float] = msgspec.field(default_factory=list)
    top: float = 0.0
    quiet: int = 0

    def times(self, value: float) -> float | None:
        """How many times the usual, where that is an alarm; then `value` counts as seen."""
        found = None
        if value > 0:
            at = level(value)
            if self.spread.n >= COLD:
                found = self._judged(value, at - self.spread.median)
            self.spread.add(at)
            self.top = max(self.top, value)
        self.quiet = QUIET if found else max(self.quiet - 1, 0)
        return found

    def _judged(self, value: float, high: float) -> float | None:
        self.sum = max(0.0, self.sum + min(high / self.spread.scale(), WIDEST) - SLACK)
        self.recent = [*self.recent[1 - WINDOW :], high]
        if self.quiet:
            self.sum = 0.0
            return None
        if value > self.top * HUGE_RECORD and high > math.log(HUGE_TIMES):
            return math.exp(min(high, 50.0))
        if self.sum < LIMIT or len(self.recent) < WINDOW:
            return None
        middle = sorted(self.recent)[len(self.recent) // 2]
        if middle < math.log(LEAST_TIMES):
            return None
        self.sum = 0.0
        return math.exp(min(middle, 50.0))


class Rate(msgspec.Struct):
    """Of calls: the time that the last GAPS took, against what such a time usually is."""

    spread: Spread = msgspec.field(default_factory=Spread)
    times_of_calls: list[float] = msgspec.field(default_factory=list)
    n: int = 0
    quiet: int = 0

    def times(self, at: float) -> float | None:
        self.times_of_calls = [*self.times_of_calls[-GAPS:], at]
        self.n += 1
        self.quiet = max(self.quiet - 1, 0)
        if len(self.times_of_calls) <= GAPS:
            return None
        took = level(max(at - self.times_of_calls[0], 0.001))
        found = self._judged(took)
        if self.n % GAPS == 0:
            self.spread.add(took)
        return found

    def _judged(self, took: float) -> float | None:
        if self.spread.n < COLD or self.quiet:
            return None
        less = self.spread.median - took
        if less < math.log(FASTER) or less < FAR * self.spread.scale(upwards=False):
            return None
        self.quiet = QUIET
        return math.exp(min(less, 50.0))


class Failures(msgspec.Struct):
    """A sequential likelihood-ratio test: has the share of failed calls grown fivefold?"""

    share: float = 0.05
    sum: float = 0.0
    n: int = 0
    quiet: int = 0

    def alarm(self, failed: bool) -> bool:
        self.n += 1
        usual = min(max(self.share, RAREST), 0.6)
        worse = min(max(5 * usual, MOST_FAILED), 0.95)
        gained = math.log(worse / usual) if failed else math.log((1 - worse) / (1 - usual))
        self.sum = max(0.0, self.sum + gained)
        step = max(1.0 / (self.n + 20), FORGETTING)
        self.share += step * (failed - self.share)
        self.quiet = max(self.quiet - 1, 0)
        if self.n < COLD or self.quiet:
            self.sum = min(self.sum, FAILED_LIMIT / 2)
            return False
        if self.sum < FAILED_LIMIT:
            return False
        self.sum, self.quiet = 0.0, QUIET
        return True
