"""Where the values of a stream lie, on a logarithmic scale, in constant space.

Quantiles by stochastic approximation (Robbins and Monro, 1951): each value moves an estimate by a
small step, however far away it lies, so that no outlier spoils it and old values are forgotten.
"""

import math

import msgspec

SEED = 30
"""Values that are kept to begin with: from them the estimates start."""
STEP = 0.02
"""The least step, in units of the scale."""
FLOOR = 1e-9
NARROWEST = 0.1
"""Of the scale: values that differ by a tenth are the same."""
TO_DEVIATION, TO_TENTH = 1.4826, 1.2816
"""Of a normal distribution: deviations in a median distance, and in the outer tenths."""


class Spread(msgspec.Struct):
    """`median`, the median `distance` from it, and the `lower` and `upper` tenth, of logarithms."""

    n: int = 0
    median: float = 0.0
    distance: float = 0.0
    lower: float = 0.0
    upper: float = 0.0
    seed: list[float] = msgspec.field(default_factory=list)

    def add(self, level: float) -> None:
        self.n += 1
        if self.n > SEED:
            self._follow(level)
            return
        self.seed.append(level)
        if self.n == SEED:
            self._start()

    def scale(self, upwards: bool = True) -> float:
        """One standard deviation on this side of the median, never too small; larger while little
        is known."""
        tenth = self.upper - self.median if upwards else self.median - self.lower
        known = max(self.distance * TO_DEVIATION, tenth / TO_TENTH, NARROWEST)
        return known * (1.0 + 3.0 / math.sqrt(max(self.n, 1)))

    def _start(self) -> None:
        levels = sorted(self.seed)
        self.median = levels[SEED // 2]
        self.lower, self.upper = levels[SEED // 10], levels[-1 - SEED // 10]
        self.distance = sorted(abs(level - self.median) for level in levels)[SEED // 2]
        self.seed = []

    def _follow(self, level: float) -> None:
        step = max(2.5 / self.n, STEP) * self.scale()
        away = abs(level - self.median)
        self.median += step * (0.5 if level > self.median else -0.5)
        self.distance = max(self.distance + step * (0.5 if away > self.distance else -0.5), 0.0)
        self.upper += step * (0.9 if level > self.upper else -0.1)
        self.lower += step * (0.1 if level > self.lower else -0.9)


def level(value: float) -> float:
    return math.log(max(value, FLOOR))
