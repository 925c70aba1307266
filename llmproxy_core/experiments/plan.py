"""How many conversations an experiment needs, before it begins."""

import math

NEEDED = 7.5
"""log of the evidence that is expected when four of five runs have won: log 20 for `alpha` 0.05,
the price of guesses, and what chance takes; measured by `benchmarks.experiments`."""
USUAL = math.log(20)


def conversations_needed(
    rate: float, effect: float, share: float = 0.5, alpha: float = 0.05
) -> int:
    """Of both arms, so that a variant with the rate `rate + effect` wins with 80 %.

    `rate`: the control's, `share`: the variant's part. Raises ValueError where there is no such
    rate.
    """
    better = rate + effect
    if not (0 < rate < 1 and 0 < better < 1 and effect and 0 < share < 1):
        raise ValueError("rates and shares are between 0 and 1, and an effect is not 0")
    overall = (1 - share) * rate + share * better
    gained = (1 - share) * _kl(rate, overall) + share * _kl(better, overall)
    return math.ceil((NEEDED + math.log(1 / alpha) - USUAL) / gained)


def _kl(p: float, q: float) -> float:
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
