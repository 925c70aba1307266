"""How well prompts are grouped: `python -m benchmarks.grouping`.

The corpus beside the project (whole, halves of its templates, half of the prompts of each, online),
and prompts made of the templates of the tests. Prints grouping accuracy and pairwise F1.
"""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.mining import assigned, mine
from tests.corpora import CORPORA
from tests.unit.patterns.agreement import grouping_accuracy, pairwise_f1
from tests.unit.patterns.made_traffic import TEMPLATES, made

CORPUS = CORPORA / "patterns" / "prompts.jsonl.gz"
SPLITS = 5
ROUNDS = 4
"""Consolidations while prompts come one after the other."""

type Rows = Sequence[tuple[str, str]]
"""Prompts, each with the template that made it."""


def corpus() -> Rows:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return [(row["text"], row["template"]) for row in map(json.loads, lines)]


def halves(rows: Rows) -> Iterator[Rows]:
    """Of the templates, in random splits."""
    templates = sorted({template for _, template in rows})
    for seed in range(SPLITS):
        order = random.Random(seed).sample(templates, len(templates))
        for part in (0, 1):
            kept = set(order[part::2])
            yield [row for row in rows if row[1] in kept]


def thinned(rows: Rows) -> Rows:
    """Half of the prompts of each template, four at least."""
    groups = defaultdict(list)
    for row in rows:
        groups[row[1]].append(row)
    dice = random.Random(1)
    return [
        row
        for group in groups.values()
        for row in dice.sample(group, min(len(group), max(4, len(group) // 2)))
    ]


def filled(seed: int, prompts: int) -> Rows:
    """Each one-off prompt is of a template of its own."""
    found = made(seed, len(TEMPLATES), prompts, prompts // 10)
    return [
        (one.text, str(one.template) if one.template >= 0 else f"once {number}")
        for number, one in enumerate(found)
    ]


def online(rows: Rows) -> list[str]:
    """Patterns of prompts in random order, after some consolidations on the way."""
    texts = [text for text, _ in rows]
    order = random.Random(1).sample(texts, len(texts))
    miner = Miner()
    for number, text in enumerate(order, 1):
        miner.assign(text)
        if number % (len(order) // ROUNDS) == 0:
            miner.consolidate()
    return list(assigned(miner, texts))


def tell(what: str, rows: Rows, found: Sequence[str]) -> tuple[float, float]:
    true = [template for _, template in rows]
    accuracy, f1 = grouping_accuracy(true, found), pairwise_f1(true, found)
    print(f"{what}: {len(rows):,} prompts, accuracy {accuracy:.3f}, F1 {f1:.3f}")
    return accuracy, f1


def grouped(what: str, rows: Rows) -> tuple[float, float]:
    return tell(what, rows, mine(text for text, _ in rows).assignments)


def main() -> None:
    if CORPUS.exists():
        rows = corpus()
        grouped("corpus", rows)
        tell("corpus, online", rows, online(rows))
        grouped("half of each group", thinned(rows))
        found = [grouped("half of the templates", half) for half in halves(rows)]
        accuracy, f1 = (sum(column) / len(found) for column in zip(*found, strict=True))
        print(f"halves: mean accuracy {accuracy:.3f}, F1 {f1:.3f}")
    for seed, prompts in ((1, 300), (2, 1_500), (3, 5_000), (4, 20_000)):
        grouped("made", filled(seed, prompts))


if __name__ == "__main__":
    main()
