"""Which patterns of prompts a worker goes on looking for: there is room for so many.

Whoever is named by a person, or referred to by a rule, an experiment or an enhancement, stays. Of the
others those go that came seldom and not for long. What is stored of them stays; what is asked again
and again afterwards is found anew, as another pattern.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping

from llmproxy_core.patterns.miner import MOST, Miner
from llmproxy_core.worker.known_pattern import Known

CROWDED = MOST * 9 // 10
"""Patterns from which on some are forgotten: a consolidation finds up to a tenth more."""
ROOM = MOST * 8 // 10
"""So many are left then."""
MERGED = 2_000
"""Patterns, the latest, of which it is remembered what they were merged into."""
HALVED = 7 * 86_400 * 10**9
"""ns after which a call is worth half of one of today."""
EXAMPLES_SIZE = 48_000_000
"""Characters of the examples of all patterns of a namespace, which they share alike."""


def least_useful(
    miner: Miner, known: Mapping[str, Known], kept: Callable[[], Collection[str]], now: int
) -> list[str]:
    """The patterns to forget, if there are too many. `kept`: asks for those that stay."""
    current = [one for one in miner.patterns.values() if one.merged_into is None]
    merged = [id for id, one in miner.patterns.items() if one.merged_into is not None]
    found = merged[: max(0, len(merged) - MERGED)]
    if len(current) > CROWDED:
        stay = kept()
        free = [one.id for one in current if not one.given and one.id not in stay]
        free.sort(key=lambda id: usefulness(known.get(id, Known()), now))
        found += free[: len(current) - ROOM]
    return found


def usefulness(known: Known, now: int) -> float:
    """The logarithm of its calls, each of which is worth half as much after a week."""
    age = max(0, now - known.last) / HALVED
    return math.log2(max(1, known.calls)) - age


def thin(miner: Miner) -> Iterable[str]:
    """Leave out examples where all of them are too many; the patterns that have fewer now."""
    current = list(miner.current())
    sizes = [sum(map(len, one.examples)) for one in current]
    if sum(sizes) <= EXAMPLES_SIZE:
        return []
    share = EXAMPLES_SIZE // len(current)
    thinned = []
    for one, size in zip(current, sizes, strict=True):
        while size > share and len(one.examples) > 1:
            size -= one.drop_first()
            thinned.append(one.id)
    return dict.fromkeys(thinned)
