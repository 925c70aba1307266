"""Templates found in prompts of which nothing is known.

Each prompt votes for the runs of grams that speak most for a pattern: many prompts have them, and
there are enough words. Prompts of one vote are divided further as long as a part of them has
wording of its own. Since wording is shared by more prompts than any content, it wins the vote.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log2, sqrt

from llmproxy_core.patterns.fitting import fitted, spread
from llmproxy_core.patterns.shape import NEAR, grams
from llmproxy_core.patterns.templates import Runs, enough, evidence, fits, gaps, runs_in
from llmproxy_core.patterns.variants import LEAST, Family

ROUNDS = 3
DEEPEST = 8
CONSTANT = 0.93
"""Of a group, the prompts that have a gram which cannot divide it."""
TOGETHER = 0.9
"""Of the prompts with one gram, those that have another one which goes with it."""
BUDGET = 3_000_000
"""Tokens that are looked at, some 350 MB; of more prompts some are left out."""
CHANCE = 1 / 2_000
"""Of all prompts, those that must have few words in common: the more there are, the more chance."""
MANY = 100
"""Prompts that tell which words are rare."""
FULL = 16.0
"""Evidence beyond which more words do not speak for a pattern: contents are long, too."""


def discovered(shapes: Sequence[str]) -> list[Runs]:
    """Templates of these prompts, some of them too many: see `selection.py`."""
    found: dict[Runs, None] = {}
    tokens = sum(min(len(one), 2 * NEAR) for one in shapes)
    left = spread(shapes, len(shapes) * BUDGET // max(BUDGET, tokens))
    for _ in range(ROUNDS):
        new = _Search(left).templates()
        found.update(dict.fromkeys(new))
        remaining = [one for one in left if not any(fits(runs, one) for runs in new)]
        if len(remaining) < LEAST or len(remaining) == len(left):
            break
        left = remaining
    return list(found)


def divided(runs: Runs, shapes: Sequence[str]) -> list[Runs]:
    """The templates of a known pattern's prompts: one, if it is not to be divided."""
    search = _Search(shapes)
    search.divide(list(range(len(shapes))), runs, 1)
    return search.of_leaves()


def weight(support: int, runs: Runs) -> float:
    """How well runs with so many prompts compete for a prompt."""
    return log2(support + 1) ** 2 * sqrt(min(max(evidence(runs), 0.1), FULL))


class _Search:
    def __init__(self, shapes: Sequence[str]) -> None:
        self._shapes = shapes
        self._grams = [grams(one) for one in shapes]
        self._frequency = Counter(gram for found in self._grams for gram in found)
        self._leaves: list[list[int]] = []
        held = Counter(char for one in shapes for char in set(one[:NEAR] + one[-NEAR:]))
        self._holding = held.__getitem__ if len(shapes) > MANY else None

    def templates(self) -> list[Runs]:
        self.divide(list(range(len(self._shapes))), (), 0)
        return self.of_leaves()

    def of_leaves(self) -> list[Runs]:
        found: dict[Runs, None] = {}
        for leaf in self._leaves:
            runs = fitted([self._shapes[one] for one in leaf])
            if enough(runs, len(leaf), self._holding) and (
                evidence(runs) >= FULL / 2 or len(leaf) >= CHANCE * len(self._shapes)
            ):
                found[runs] = None
        return list(found)

    def divide(self, members: list[int], runs: Runs, depth: int) -> None:
        """Finds the leaves among these prompts, which have the runs in common."""
        known = bool(runs) and enough(runs, len(members), self._holding)
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        votes = self._votes(members, runs if known else (), CONSTANT if depth else 1.0)
        for one in members:
            groups[votes[one][1] if one in votes else ()].append(one)
        for vote, group in groups.items():
            if len(group) < LEAST or (not vote and not known):
                continue
            shared = fitted([self._shapes[one] for one in group])
            settled = (known and shared == runs) or (depth and len(group) == len(members))
            if depth >= DEEPEST or settled:
                self._leaves.append(group)
            else:
                self.divide(group, shared, depth + 1)

    def _votes(
        self, members: Sequence[int], known: Runs, most: float
    ) -> dict[int, tuple[float, tuple[int, ...]]]:
        """Which prompts each of them goes with best, and how well."""
        counts = Counter(gram for one in members for gram in self._grams[one])
        most *= len(members)
        dividing = {gram for gram, count in counts.items() if LEAST <= count <= most}
        best: dict[int, tuple[float, tuple[int, ...]]] = {}
        family = self._family(members, known) if known else None
        for holders in self._holders(members, dividing):
            ceiling = log2(len(holders) + 1) ** 2 * sqrt(FULL)
            if all(best.get(one, (0.0, ()))[0] >= ceiling for one in holders):
                continue
            runs = self._common(holders, dividing)
            if not (
                family.wording(holders, runs)
                if family
                else enough(runs, len(holders), self._holding)
            ):
                continue
            value = weight(len(holders), runs)
            for one in holders:
                if value > best.get(one, (0.0, ()))[0]:
                    best[one] = (value, holders)
        return best

    def _holders(self, members: Sequence[int], dividing: set[str]) -> list[tuple[int, ...]]:
        """The different sets of prompts that have a gram, large ones first."""
        holders = defaultdict(list)
        for one in members:
            for gram in self._grams[one] & dividing:
                holders[gram].append(one)
        return sorted(dict.fromkeys(map(tuple, holders.values())), key=lambda one: (-len(one), one))

    def _common(self, holders: Sequence[int], dividing: set[str]) -> Runs:
        """The runs that go with these prompts."""
        sample = holders[:: max(1, len(holders) // 12)][:16]
        counts = Counter(gram for one in sample for gram in self._grams[one] & dividing)
        need = TOGETHER * len(sample)
        return runs_in(self._shapes[sample[0]], {g for g, n in counts.items() if n >= need}, NEAR)

    def _family(self, members: Sequence[int], runs: Runs) -> Family:
        found = {one: gap for one in members if (gap := gaps(runs, self._shapes[one])) is not None}
        return Family(len(members), runs, found, self._frequency.__getitem__)
