"""A million prompts: `python -m benchmarks.learning [PROMPTS] [--patterns 50]`.

They are told their patterns one by one and consolidated as often as the worker would do it; what is
measured is CPU (making the prompts is not counted) and memory, and how many of the patterns that
made the prompts were found. With more patterns than the tests have, further ones are made up.
"""

import argparse
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from llmproxy_core.patterns.miner import WAITING, Miner
from llmproxy_core.patterns.mining import MORE
from tests.unit.patterns.made_traffic import (
    ONE_OFFS,
    TEMPLATES,
    Filler,
    clause,
    filled,
    sentence,
)

ONE_OFF = 0.1
FILLERS = ("passage", "sentence", "question", "code", "listed", "thing", "dialogue", "facts")
BLOCK = 20_000
"""Prompts after which the contents that several of them share are drawn anew."""


def templates(count: int) -> list[str]:
    """Those of the tests, and as many more as are wanted: some wording, one or two slots."""
    f = Filler(7)
    out = list(TEMPLATES[:count])
    while len(out) < count:
        first, second = f.pick(list(FILLERS)), f.pick(list(FILLERS))
        out.append(
            f.pick(
                [
                    f"{sentence(f)} {clause(f)}:\n{{{first}}}",
                    f"{{{first}}}\n\n{sentence(f)} {clause(f)}",
                    f"{sentence(f)}\n{{{first}}}\n{clause(f)}: {{{second}}}",
                ]
            )
        )
    return out


def prompts(count: int, patterns: list[str]) -> Iterator[tuple[str, int]]:
    """Prompts, and the number of the template that made each, -1 for those that are of none.

    The pattern of rank r is asked in proportion to 1 / (r + 5).
    """
    weights = [1 / (rank + 5) for rank in range(len(patterns))]
    for block in range(0, count, BLOCK):
        f = Filler(block, BLOCK // 60)
        chosen = f.dice.choices(range(len(patterns)), weights, k=min(BLOCK, count - block))
        for which in chosen:
            if f.dice.random() < ONE_OFF:
                yield filled(f, f.pick(list(ONE_OFFS))), -1
            else:
                yield filled(f, patterns[which]), which


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--patterns", type=int, default=len(TEMPLATES))
    told = parser.parse_args()
    made = templates(told.patterns)
    miner = learn(prompts(told.prompts, made))
    score(miner, prompts(min(told.prompts, BLOCK), made), len(made))


def learn(asked: Iterator[tuple[str, int]]) -> Miner:
    miner, assigning, consolidating = Miner(), 0.0, []
    due, seen, began = WAITING, 0, time.monotonic()
    for text, _ in asked:
        started = time.process_time()
        miner.assign(text)
        assigning += time.process_time() - started
        seen += 1
        if seen >= due and miner.fresh:
            consolidating.append(consolidated(miner, seen))
            due = int(seen * MORE)
    consolidating.append(consolidated(miner, seen))
    spent = assigning + sum(consolidating)
    print(
        f"{seen:,} prompts: {spent:.0f} s CPU ({assigning:.0f} s told one by one, "
        f"{assigning / seen * 1e6:.0f} µs each; {sum(consolidating):.0f} s in "
        f"{len(consolidating)} consolidations, the longest {max(consolidating):.0f} s); "
        f"{time.monotonic() - began:.0f} s wall with making them; {memory()} MB at most"
    )
    return miner


def consolidated(miner: Miner, seen: int) -> float:
    started = time.process_time()
    events = Counter(event.change for event in miner.consolidate().events)
    spent = time.process_time() - started
    known = sum(1 for _ in miner.current())
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(events.items()))
    print(
        f"  after {seen:,}: {known} patterns, {spent:.1f} s CPU, {memory()} MB: {told}", flush=True
    )
    return spent


def score(miner: Miner, asked: Iterator[tuple[str, int]], wanted: int) -> None:
    """Found: most of its prompts have one pattern, and most of that pattern's prompts are its."""
    by_template: defaultdict[int, Counter[str | None]] = defaultdict(Counter)
    by_pattern: defaultdict[str | None, Counter[int]] = defaultdict(Counter)
    apart = ones = 0
    for text, which in asked:
        pattern = miner.find(text)
        if which < 0:
            ones += 1
            apart += pattern is None
            continue
        by_template[which][pattern] += 1
        by_pattern[pattern][which] += 1
    found = 0
    for which, seen in by_template.items():
        pattern, times = seen.most_common(1)[0]
        mine = by_pattern[pattern]
        pure = mine[which] > 0.9 * mine.total()
        found += pattern is not None and times > 0.9 * seen.total() and pure
    print(
        f"{found} of {len(by_template)} templates found ({wanted} were asked), "
        f"{apart / max(ones, 1):.1%} of one-off prompts kept apart"
    )


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
