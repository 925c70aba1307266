"""How often an experiment about cost is won that should not be, and how soon one that should.

python -m benchmarks.savings
"""

from collections.abc import Iterator, Sequence

import numpy as np

from llmproxy_core.enhancements.savings import Savings
from llmproxy_core.experiments.experiment import CONTROL, Experiment, Variant
from llmproxy_core.experiments.tally import ArmTally, Moments, Tally

RUNS, POWER_RUNS = 1000, 200
NAME = "marked"
TRIED = Experiment(
    id="x",
    name="x",
    variants=(Variant(NAME, ({"op": "cache_breakpoint", "at": "system"},)),),
    shares={CONTROL: 0.5, NAME: 0.5},
)
FALSE = ((0.9, 0.9, 0.0), (0.9, 0.9, 0.01), (0.9, 0.85, 0.4), (0.9, 0.84, 0.4))
TRUE = ((0.9, 0.9, 0.4), (0.9, 0.9, 0.2), (0.7, 0.7, 0.4))
"""Rate of the control, rate of the variant, saving."""


def looks(
    control: float, variant: float, saved: float, seed: int, most: int, every: int
) -> Iterator[Tally]:
    """Sums after each `every` conversations; costs have a heavy tail."""
    dice = np.random.default_rng(seed)
    half = most // 2
    sums = []
    for rate, factor in ((control, 1.0), (variant, 1 - saved)):
        went_well = dice.random(half) < rate
        costs = np.log(np.clip(dice.lognormal(-5, 1.2, half) * factor, 1e-6, 1e3)) * went_well
        sums.append((np.cumsum(went_well), np.cumsum(costs), np.cumsum(costs**2)))
    for n in range(every // 2, half + 1, every // 2):
        arms = {}
        for name, (good, total, squares) in zip((CONTROL, NAME), sums, strict=True):
            known = int(good[n - 1])
            arms[name] = ArmTally(good=known, bad=n - known, answered=n)
            spent = Moments(known, float(total[n - 1]), float(squares[n - 1]))
            arms[name].moments["cost_usd"] = spent
        yield Tally(arms)


def won_at(savings: Savings, case: Sequence[float], seed: int, most: int, every: int) -> int | None:
    """Conversations until it is won; None: it is not."""
    for tally in looks(case[0], case[1], case[2], seed, most, every):
        if savings.saving(tally, NAME).proven(TRIED.alpha):
            return tally.judged
    return None


def main() -> None:
    savings = Savings(TRIED)
    for case in FALSE:
        won = sum(won_at(savings, case, seed, 10_000, 100) is not None for seed in range(RUNS))
        print(f"{case}: won in {won} of {RUNS}")
    for case in TRUE:
        found = [won_at(savings, case, seed, 20_000, 250) for seed in range(POWER_RUNS)]
        needed = sorted(n if n is not None else 10**9 for n in found)
        median, most = needed[POWER_RUNS // 2], needed[POWER_RUNS * 4 // 5]
        print(f"{case}: half of the runs after {median}, four of five after {most}")


if __name__ == "__main__":
    main()
