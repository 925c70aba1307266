"""How well an enhancement did, from the result of its experiment: one number from -1 to 1.

For the aim `success`: the share of the failures that it takes away, (p1 - p0) / (1 - p0), and where
it makes things worse the share of the successes that it takes away, (p1 - p0) / p0. The first is
Hake's normalised gain (1998, Am. J. Phys. 66:64), the second its mirror (Marx and Cummings 2007,
Am. J. Phys. 75:87). For the aim `cost`: the share of the cost of a call that it saves; what it costs
in successes counts first: with a loss beyond the margin the score is that loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llmproxy_core.enhancements.enhancement import Aim
from llmproxy_core.experiments.tally import SCALES, ArmTally

MARGIN = 0.02
"""A loss of successes (as a share of all) that an enhancement for the cost may have."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of an experiment: conversations, those that were a success, and their mean cost in
    USD; None: not known."""

    conversations: int
    successes: float
    usd: float | None = None

    @property
    def rate(self) -> float:
        return min(1.0, max(0.0, self.successes / self.conversations))


def arm(tally: ArmTally) -> Arm:
    """As `experiments` has it; the cost is the typical one."""
    costs = tally.moments["cost_usd"]
    return Arm(tally.judged, tally.good, SCALES["cost_usd"].back(costs.mean) if costs.n else None)


def effectiveness(control: Arm, variant: Arm, aim: Aim = "success") -> float | None:
    """None: an arm is empty, or an enhancement for the cost has none."""
    if control.conversations <= 0 or variant.conversations <= 0:
        return None
    gained = gain(control.rate, variant.rate)
    if aim == "success":
        return round(gained, 4)
    if control.rate - variant.rate > MARGIN:
        return round(gained, 4)
    if control.usd is None or variant.usd is None or control.usd <= 0:
        return None
    return round(max(-1.0, min(1.0, 1 - variant.usd / control.usd)), 4)


def gain(before: float, after: float) -> float:
    """Normalised change between two rates, -1 to 1; 0 where they are the same."""
    if after == before:
        return 0.0
    room = 1 - before if after > before else before
    return (after - before) / room


def mean(scores: Sequence[tuple[float, int]]) -> float | None:
    """Of several experiments of one enhancement: (score, conversations), weighted by these."""
    total = sum(n for _, n in scores)
    return round(sum(score * n for score, n in scores) / total, 4) if total else None
