"""The effect of an enhancement with its interval: in its experiment, or since it was promoted.

Each end of the interval is wrong with a probability of at most 5 %, however often one looks. For
success it is that of the difference of the rates (`experiments.comparison`), as a score at the
control's rate as it was measured; for the cost that of the ratio of typical costs
(`experiments.guards`, asymptotic).
"""

import math
from dataclasses import dataclass

import numpy as np

from llmproxy_core.enhancements.effectiveness import MARGIN, arm, effectiveness, gain
from llmproxy_core.enhancements.enhancement import Aim
from llmproxy_core.experiments.comparison import Comparison
from llmproxy_core.experiments.guards import log_evidence
from llmproxy_core.experiments.tally import ArmTally, Moments

ALPHA = 0.05
FAR = 10.0
"""Of a difference of logarithms of costs: 22,000 times as much."""
HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Effect:
    """`before` and `after`: rates of success, or with the aim `cost` typical costs in USD. `score`
    from -1 to 1 as `effectiveness` tells it, its interval `low` to `high`; the conversations."""

    aim: Aim
    before: float
    after: float
    score: float
    low: float
    high: float
    before_conversations: int
    after_conversations: int


def effect(before: ArmTally, after: ArmTally, share: float, aim: Aim = "success") -> Effect | None:
    """`share`: of those with the change among the conversations of both arms. None: an arm is
    empty, or costs are not known."""
    one, other = arm(before), arm(after)
    score = effectiveness(one, other, aim)
    if score is None:
        return None
    if aim == "cost" and one.rate - other.rate <= MARGIN and one.usd and other.usd:
        low, high = _saved(before.moments["cost_usd"], after.moments["cost_usd"])
        told = one.usd, other.usd
    else:
        aim, told = "success", (one.rate, other.rate)
        low, high = _gained(before, after, share)
    ends = min(low, score), max(high, score)
    return Effect(aim, *told, score, *ends, one.conversations, other.conversations)


def _gained(before: ArmTally, after: ArmTally, share: float) -> tuple[float, float]:
    counts = np.array([before.good, before.bad, after.good, after.bad], dtype=np.float64)
    rate = before.rate or 0.0
    low, high = Comparison(share).interval(counts, ALPHA)
    return gain(rate, max(0.0, rate + low)), gain(rate, min(1.0, rate + high))


def _saved(before: Moments, after: Moments) -> tuple[float, float]:
    most, least = -_excluded(before, after, -1), _excluded(before, after, 1)
    return max(-1.0, 1 - math.exp(most)), 1 - math.exp(least)


def _excluded(before: Moments, after: Moments, sign: int) -> float:
    """The largest difference of the means (`after` less `before`, times `sign`) that there is
    enough evidence against: they differ by more."""
    low, high = -FAR, FAR
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = log_evidence(before, after, middle, sign) >= -math.log(ALPHA)
        low, high = (middle, high) if enough else (low, middle)
    return low
