"""How well groups agree with those that are known: the measures of log-parsing benchmarks."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence


def grouping_accuracy(true: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """The share of prompts whose group holds exactly the prompts of their true group."""
    groups: dict[Hashable, set[int]] = defaultdict(set)
    for number, label in enumerate(true):
        groups[label].add(number)
    wanted = set(map(frozenset, groups.values()))
    predicted: dict[Hashable, set[int]] = defaultdict(set)
    for number, label in enumerate(found):
        predicted[label].add(number)
    right = sum(len(group) for group in predicted.values() if frozenset(group) in wanted)
    return right / len(true)


def pairwise_f1(true: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """Harmonic mean of precision and recall over all pairs of prompts of one group."""
    both = _pairs(zip(true, found, strict=True))
    return 2 * both / (_pairs(true) + _pairs(found))


def _pairs(labels) -> float:
    return sum(count * (count - 1) / 2 for count in Counter(labels).values())
