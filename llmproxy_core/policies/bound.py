"""How many false positives a policy may have, judging by those that people have looked at."""

from math import exp, lgamma, log

CONFIDENCE = 0.95
STEPS = 60
"""Halvings: more than a float has digits."""


def upper_bound(false: int, judged: int, confidence: float = CONFIDENCE) -> float:
    """The highest rate that `false` of `judged` findings do not rule out; 1 if none was judged.

    Clopper and Pearson's one-sided bound: the rate p at which so few, or fewer, would come up with
    a probability of 1 - `confidence`. Of n, none false: 1 - (1 - confidence)^(1/n), about 3/n.
    """
    if not 0 <= false <= judged:
        raise ValueError(f"{false} of {judged}")
    if false == judged:
        return 1.0
    ways = [lgamma(judged + 1) - lgamma(k + 1) - lgamma(judged - k + 1) for k in range(false + 1)]
    low, high = false / judged, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _at_most(ways, judged, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(ways: list[float], n: int, p: float) -> float:
    """The probability of fewer than `len(ways)` of `n`, each with the probability `p`. `ways`: the
    logarithm of how many ways there are to 0, 1, ..."""
    if p <= 0.0 or p >= 1.0:
        return float(p <= 0.0)
    yes, no = log(p), log(1 - p)
    terms = [way + k * yes + (n - k) * no for k, way in enumerate(ways)]
    highest = max(terms)
    return exp(highest) * sum(exp(term - highest) for term in terms)
