"""Templates: runs of constant tokens, in their order, with slots between them."""

from collections.abc import Callable

from llmproxy_core.patterns.shape import (
    BEGIN,
    BLANK_LINE,
    CUT,
    END,
    codes,
    is_line,
    is_word,
    unspaced,
)

type Runs = tuple[str, ...]
"""Runs of shape characters. Between two of them, and around them, is a slot."""

LINES = "\n" + BLANK_LINE
_FIRST, _LAST = BEGIN[0], END[0]


def starts(runs: Runs, shaped: str) -> list[int] | None:
    """Where each run begins in a text; None if it has not all of them in their order.

    Two runs may share a line end: the slot between them is empty then.
    """
    at = 0
    found = []
    for run in runs:
        if at and run[0] in LINES and shaped[at - 1] in LINES:
            at -= 1
        start = shaped.find(run, at)
        if run[-1] == _LAST:
            start = len(shaped) - len(run) if shaped.endswith(run) else -1
        if start < at or (start and run[0] == _FIRST):
            return None
        found.append(start)
        at = start + len(run)
    return found


def gaps(runs: Runs, shaped: str) -> list[str] | None:
    """What fills the slots, before, between and after the runs; None if the text has not all runs."""
    found = starts(runs, shaped)
    if found is None:
        return None
    ends = [0, *(start + len(run) for start, run in zip(found, runs, strict=True))]
    return [shaped[end:start] for end, start in zip(ends, (*found, len(shaped)), strict=True)]


def fits(runs: Runs, shaped: str) -> bool:
    """Whether the text has all runs in their order."""
    return starts(runs, shaped) is not None


def evidence(runs: Runs) -> float:
    """How much speaks for it that this is wording and not chance; a word is about 1."""
    return sum(map(_weight, runs))


def _weight(run: str) -> float:
    first, last = run[0], run[-1]
    words = others = 0.0
    for char in run:
        if unspaced(char):
            words += 0.5
        elif is_word(char):
            words += 1
        elif char not in (_FIRST, _LAST):
            others += 0.5 if is_line(char) or char == ":" else 0.3
    if not words:
        return 0.3
    weight = words + others
    if first == _FIRST:
        weight += 1.2
    elif not is_word(first):
        weight += 0.8 if is_line(first) else 0.3
    if last in (_LAST, ":", '"') or is_line(last):
        weight += 1.2
    elif is_word(last):
        weight -= 0.7
    return weight


def enough(runs: Runs, support: int, holding: Callable[[str], int] | None = None) -> bool:
    """Whether so many prompts with these runs make a pattern.

    `holding`: of how many prompts, of all there are, a token is.
    """
    found = evidence(runs)
    needed = max(3.3, 4.1 - 0.35 * (max(support, 8).bit_length() - 4))
    told = [run for run in runs if any(map(is_word, run))]
    if not told or found < needed:
        return False
    held = any(is_line(run[0]) or run[-1] == _LAST for run in told[1:])
    if told[0][0] == _FIRST and is_word(told[0][-1]) and not held:
        # "You are given a" begins many that have nothing in common
        return found >= (RARE_HEAD if _is_rare(told[0], support, holding) else OPEN_HEAD)
    if told[0][0] == _FIRST or told[-1][-1] == _LAST:
        return True
    if any(is_line(run[0]) for run in told):
        return found >= needed + PARAGRAPH
    return found >= AFLOAT and support >= 6


def _is_rare(run: str, support: int, holding: Callable[[str], int] | None) -> bool:
    """Whether a word of this run is hardly found in prompts without it."""
    if holding is None:
        return False
    return any(is_word(char) and holding(char) <= 1.1 * support + 1 for char in run)


LETTERS = frozenset(codes("A B C D E F G H I J K L a b c d e f g h i j k l"))
FIRST_LETTERS = frozenset(codes("A a"))
BULLETS = "-*•"
OPEN_HEAD = 5.5
"""Evidence for a pattern that only begins alike, and goes on within a sentence."""
RARE_HEAD = 4.0
"""The same, if it has a word that is hardly found elsewhere."""
PARAGRAPH = 0.4
"""More evidence than others need, for a pattern that is only found where a line begins."""
AFLOAT = 7.0
"""Evidence for a pattern that neither begins nor ends alike."""


def more_general(one: Runs, other: Runs) -> bool:
    """Whether all that fits the other one fits this one, too, but not the other way round."""
    return one != other and fits(one, CUT.join(other))


def runs_in(shaped: str, wanted: set[str], near: int) -> Runs:
    """The longest runs of a text that are made of wanted grams.

    A run ends where its text was cut, and each gram counts where it comes first.
    """
    seen: set[str] = set()
    runs: list[str] = []
    start, stop = -1, -1
    for at in range(len(shaped) - 2):
        if near < at < len(shaped) - near:
            continue
        gram = shaped[at : at + 3]
        if gram not in wanted or gram in seen or CUT in gram:
            continue
        seen.add(gram)
        if start >= 0 and at < stop:
            stop = at + 3
            continue
        if start >= 0:
            runs.append(shaped[start:stop])
        start, stop = at, at + 3
    if start >= 0:
        runs.append(shaped[start:stop])
    return tuple(runs)


def is_label(run: str, at: int) -> bool:
    """Whether at this place of a run a line begins as labels do: "Answer:", "A."."""
    head = run[at : at + 4]
    if head[:1] in LETTERS and head[1:2] in (".", ")", ":"):
        return head[0] in FIRST_LETTERS  # the next ones only go on with a list
    colon = head.find(":")
    return colon > 0 and all(map(is_word, head[:colon]))
