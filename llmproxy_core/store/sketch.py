"""Durations in buckets that widen with them, so that percentiles can be told from sums of sketches.

A DDSketch (Masson, Rim, Lee: VLDB 2019) without a limit of buckets: bucket k holds what lies in
(GAMMA**(k-1), GAMMA**k], so that any quantile is right to ACCURACY of its value.
"""

import math
from collections.abc import Iterable

ACCURACY = 0.02
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
SHORTEST_MS = 0.01
LONGEST_MS = 1e8
"""A little more than a day."""

_LOG_GAMMA = math.log(GAMMA)


def bucket(ms: float) -> int:
    """Between -115 and 461; what is no duration at all counts as the shortest."""
    if not ms > SHORTEST_MS:
        ms = SHORTEST_MS
    return math.ceil(math.log(min(ms, LONGEST_MS)) / _LOG_GAMMA)


def count(counts: dict[int, int], ms: float | None) -> None:
    """Put one duration into its bucket; None is none."""
    if ms is not None:
        found = bucket(ms)
        counts[found] = counts.get(found, 0) + 1


def arrays(counts: dict[int, int]) -> Iterable[str]:
    """The buckets and their counts as Postgres writes arrays: cheaper than lists."""
    ordered = sorted(counts)
    yield "{" + ",".join(map(str, ordered)) + "}"
    yield "{" + ",".join([str(counts[number]) for number in ordered]) + "}"


def value(bucket: int) -> float:
    """Milliseconds in the middle of a bucket."""
    return 2 * GAMMA**bucket / (GAMMA + 1)


def quantile(counts: Iterable[tuple[int, int]], q: float) -> float | None:
    """The q-quantile, 0 <= q <= 1, in ms, of (bucket, count) in any order; None of nothing."""
    ordered = sorted(counts)
    total = sum(count for _, count in ordered)
    rank = q * (total - 1)
    passed = 0
    for number, count in ordered:
        passed += count
        if passed > rank:
            return value(number)
    return None
