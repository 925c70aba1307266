"""How an experiment went: the difference of its rates and its interval, as conversations came."""

from collections.abc import Sequence
from typing import NamedTuple

from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.store.experiments import Unit

LEAST_REACH = 0.1
"""Points of a hundred on both sides of zero that are always on the plot."""


class Point(NamedTuple):
    """`judged`: conversations of both arms. The rest: the variant's rate less the control's, and an
    interval that holds the true difference at all times, with 1 - 2 `alpha`."""

    judged: int
    difference: float
    low: float
    high: float


def points(units: Sequence[Unit], one: Experiment, variant: str, most: int) -> list[Point]:
    """After every so many conversations, at most `most` times and at the end.

    `units`: in the order in which they were counted. Some ms a point, done in a thread.
    """
    import numpy as np  # with comparison, 0.1 s that no other screen needs

    from llmproxy_core.experiments.comparison import Comparison

    if variant not in one.shares or CONTROL not in one.shares:
        return []
    known = [unit for unit in units if unit.success is not None and unit.arm in (CONTROL, variant)]
    share = one.shares[variant] / (one.shares[variant] + one.shares[CONTROL])
    comparison, alpha = Comparison(share), one.alpha / max(1, len(one.variants))
    step = max(1, -(-len(known) // most))
    counts = np.zeros(4)
    found: list[Point] = []
    for number, unit in enumerate(known, 1):
        counts[(0 if unit.success else 1) + (0 if unit.arm == CONTROL else 2)] += 1
        if number % step and number != len(known):
            continue
        control, other = counts[:2].sum(), counts[2:].sum()
        if control and other:
            difference = counts[2] / other - counts[0] / control
            found.append(Point(number, float(difference), *comparison.interval(counts, alpha)))
    return found


def reach(found: Sequence[Point]) -> float:
    """How far from zero the plot goes: what came later fits, and the wide beginning is cut."""
    late = found[len(found) // 3 :]
    widest = max((max(abs(one.low), abs(one.high)) for one in late), default=1.0)
    return min(1.0, max(LEAST_REACH, 1.1 * widest))
