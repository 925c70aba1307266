"""What is known of the arms of an experiment, as plain numbers: sums, in whatever order they came.

A conversation is one outcome. It is added once it can be judged, at a fixed time after it began
(`JUDGED_AFTER`), so that good and bad ones are not counted sooner than others; where that changes
later, the old outcome is removed and the new one added. After a restart the sums are read again,
or the outcomes are added anew: both give the same.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.hashing import Hash
from llmproxy_core.model import Json

JUDGED_AFTER = 3600
"""Seconds after its first request when a conversation is judged, by what has happened until then."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a metric is summed: its logarithm or itself, between two bounds."""

    low: float
    high: float
    log: bool = False

    def of(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        return math.log(value) if self.log else value

    def back(self, value: float) -> float:
        return math.exp(value) if self.log else value


SCALES: Mapping[str, Scale] = {
    "cost_usd": Scale(1e-6, 1e3, log=True),
    "latency_ms": Scale(1.0, 1e7, log=True),
    "cached_share": Scale(0.0, 1.0),
}
SPENT = frozenset({"cost_usd", "latency_ms"})
"""What a conversation that failed took is not counted: a refusal is short and cheap, and whatever
makes answers of it would look dear and slow."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation went. None: not known, and not counted.

    `good`: no signal that counts was bad. `cost_usd`: of all its calls. `latency_ms`: the mean of
    its calls. `failed`: a call was answered with an error. `cached_share`: cached tokens of all
    input tokens, 0 to 1.
    """

    root: Hash
    arm: str
    good: bool | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    failed: bool | None = None
    cached_share: float | None = None


@dataclass(slots=True)
class Moments:
    """Number, sum and sum of squares, on the metric's scale."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self.n += times
        self.total += times * value
        self.squares += times * value * value

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Of one observation; 0 where there are fewer than two."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.mean) / (self.n - 1))


@dataclass(slots=True)
class ArmTally:
    """`good` and `bad`: conversations; `unknown`: those of which nobody knows which they are.
    `failed` and `answered`: those with and without an error."""

    good: int = 0
    bad: int = 0
    failed: int = 0
    answered: int = 0
    moments: dict[str, Moments] = field(
        default_factory=lambda: {metric: Moments() for metric in SCALES}
    )
    unknown: int = 0

    @property
    def judged(self) -> int:
        return self.good + self.bad

    @property
    def rate(self) -> float | None:
        return self.good / self.judged if self.judged else None

    def add(self, outcome: Outcome, times: int = 1) -> None:
        if outcome.good is None:
            self.unknown += times
        else:
            self.good += times * outcome.good
            self.bad += times * (not outcome.good)
        if outcome.failed is not None:
            self.failed += times * outcome.failed
            self.answered += times * (not outcome.failed)
        for metric, moments in self.moments.items():
            value = None if outcome.good is False and metric in SPENT else getattr(outcome, metric)
            if value is not None and math.isfinite(value):
                moments.add(SCALES[metric].of(value), times)


@dataclass(slots=True)
class Tally:
    """Of all arms of an experiment."""

    arms: dict[str, ArmTally] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Tally":
        """Of one outcome for each root: the last that is told."""
        found = cls()
        for outcome in {one.root: one for one in outcomes}.values():
            found.add(outcome)
        return found

    def arm(self, name: str) -> ArmTally:
        return self.arms.get(name) or ArmTally()

    def add(self, outcome: Outcome) -> None:
        """Of a conversation that is not in it."""
        self.arms.setdefault(outcome.arm, ArmTally()).add(outcome)

    def remove(self, outcome: Outcome) -> None:
        """As it was added: it has changed, or is no more."""
        self.arms.setdefault(outcome.arm, ArmTally()).add(outcome, -1)

    @property
    def judged(self) -> int:
        return sum(arm.judged for arm in self.arms.values())

    def to_json(self) -> dict[str, Json]:
        return {
            name: {
                "good": arm.good,
                "bad": arm.bad,
                "unknown": arm.unknown,
                "failed": arm.failed,
                "answered": arm.answered,
                **{metric: [m.n, m.total, m.squares] for metric, m in arm.moments.items()},
            }
            for name, arm in self.arms.items()
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Tally":
        """What `to_json` gave."""
        return cls({name: _arm(one) for name, one in value.items()})


def _arm(value: Mapping[str, Any]) -> ArmTally:
    return ArmTally(
        value["good"],
        value["bad"],
        value["failed"],
        value["answered"],
        {metric: Moments(*value.get(metric, (0, 0.0, 0.0))) for metric in SCALES},
        value.get("unknown", 0),
    )
