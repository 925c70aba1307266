"""The template of prompts that belong together."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from llmproxy_core.patterns.shape import BEGIN, END, NEAR, grams, is_line, is_word
from llmproxy_core.patterns.templates import Runs, evidence, fits, runs_in

SHARE = 0.88
"""Of the prompts, those that must have a gram for it to be constant."""
MOST_RUNS = 24
STEPS = 60
WORTH = 0.5
"""Of the evidence that a cut loses for all prompts, what it must gain by those that fit then."""
KEPT = 0.6
"""Of the evidence, what must stay when a template is trimmed until all prompts fit."""


def spread(texts: Sequence[str], most: int) -> Sequence[str]:
    """`most` of them at most, evenly spread."""
    return texts if len(texts) <= most else [texts[n * len(texts) // most] for n in range(most)]


def fitted(shapes: Sequence[str]) -> Runs:
    """The runs that nearly all of them have."""
    return _trimmed(_constants(spread(shapes, 32)), spread(shapes, 160))


def _constants(shapes: Sequence[str]) -> Runs:
    counts = Counter(gram for shaped in shapes for gram in grams(shaped))
    need = SHARE * len(shapes)
    wanted = {gram for gram, count in counts.items() if count >= need}
    found = (_in_order(_strongest(runs_in(one, wanted, NEAR)), shapes, need) for one in shapes[:8])
    return max(found, key=evidence)


def _strongest(runs: Runs) -> Runs:
    if len(runs) <= MOST_RUNS:
        return runs
    best = sorted(range(len(runs)), key=lambda at: -evidence(runs[at : at + 1]))[:MOST_RUNS]
    return tuple(runs[at] for at in sorted(best))


def _in_order(runs: Runs, shapes: Sequence[str], need: float) -> Runs:
    """Without the runs that stand elsewhere in others."""
    count = _counter(shapes)
    while runs and count(runs) < need:
        shorter = [runs[:at] + runs[at + 1 :] for at in range(len(runs))]
        runs = max(shorter, key=lambda less: (count(less), evidence(less)))
    return runs


def _counter(shapes: Sequence[str]) -> Callable[[Runs], int]:
    return lambda runs: sum(fits(runs, shaped) for shaped in shapes)


def _trimmed(runs: Runs, shapes: Sequence[str]) -> Runs:
    """With its edges cut off where they keep prompts from fitting."""
    count = _counter(shapes)
    whole, current = evidence(runs), count(runs)
    for _ in range(STEPS):
        if not runs or current == len(shapes):
            break
        best = None
        told = evidence(runs)
        for less in _cut(runs):
            gained, rest = count(less) - current, evidence(less)
            lost = max(0.0, told - rest)
            if gained > 0 and gained * whole >= WORTH * lost * len(shapes):
                gain = gained / (1 + max(0.0, whole - rest))
                best = max(best or (gain, gained, less), (gain, gained, less))
        if best is None or evidence(best[2]) < KEPT * whole:
            break
        current, runs = current + best[1], best[2]
    return _without_closing(runs, current == len(shapes))


def _without_closing(runs: Runs, all_fit: bool) -> Runs:
    """Without the punctuation that ends what fills the slots; a last question mark of all stays."""
    kept = [inner for run in runs if _tells(inner := run.lstrip(CLOSING))]
    while len(kept) > 1 and kept[-1][-1] == END[0] and not any(map(is_word, kept[-1])):
        kept.pop()
    if kept and all_fit and runs[-1] == ASKED and kept[-1][-1] != END[0]:
        kept.append(ASKED)
    return tuple(kept)


def _cut(runs: Runs) -> Iterator[Runs]:
    for at, run in enumerate(runs):
        before, after = runs[:at], runs[at + 1 :]
        for tokens in (1, 2):
            if run[0] != BEGIN[0] and len(run) > tokens:
                yield (*before, run[tokens:], *after)
            if run[-1] != END[0] and len(run) > tokens:
                yield (*before, run[:-tokens], *after)
        if len(run) <= 4 and len(runs) > 1:
            yield before + after


def _tells(run: str) -> bool:
    if not run.strip(BEGIN[0] + END[0]):
        return False
    return any(map(is_word, run)) or run[0] == BEGIN[0] or (len(run) > 1 and is_line(run[0]))


ASKED = "?" + END
CLOSING = ".?!…"
"""Before a run these end what fills the slot."""
