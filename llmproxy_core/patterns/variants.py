"""Whether a run that part of a pattern's prompts have is wording, or what fills a slot.

It is wording where it takes the place of few other values ("positive" or "negative"), where it is a
label or a list that the others lack, and where it is a phrase that is found nowhere else.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmproxy_core.patterns.shape import BEGIN, END, NUMBER, is_line, is_word
from llmproxy_core.patterns.templates import BULLETS, Runs, is_label

LEAST = 4
"""Prompts that make a pattern."""
FEW = 3
"""Values that are variants of the wording; more of them are the contents of a slot."""
PHRASE = 6
"""Prompts that must have a phrase for it to be wording."""
ANYWHERE = 0.4
"""Of the prompts, those that must have a phrase which stands anywhere within a slot."""
MANY = 8
"""Words that make a phrase wording even where few of the prompts have it."""
LONGEST = 60
"""Tokens of a run that are looked for at the edge of a slot."""
VALUE = 14
"""Tokens of such a value."""


@dataclass(slots=True)
class Family:
    """The prompts of one template: by their number, what fills its slots."""

    size: int
    runs: Runs
    gaps: Mapping[int, Sequence[str]]
    frequency: Callable[[str], int]
    """Prompts, of all there are, that have a gram."""

    def wording(self, members: Sequence[int], runs: Runs) -> bool:
        """Whether what these members have in common makes a pattern of its own."""
        if len(members) < max(LEAST, 0.03 * self.size):
            return False
        sample = [self.gaps[one] for one in members if one in self.gaps][:24]
        if not sample:
            return False
        new = self._new(runs, sample[0])
        if not new:
            return False
        fixed = {slot for slot, _ in new if _same(sample, slot)}
        if any(self._few(slot) for slot in fixed):
            return True
        new = [(slot, run) for slot, run in new if slot not in fixed]
        if not new:
            return False
        for place, run in new:
            if _begins(sample, place, run) and self._two_ways(place, 1):
                return True
            if _ends(sample, place, run) and self._two_ways(place, -1):
                return True
            if self._sentence(sample, place, run) and len(members) >= 0.12 * self.size:
                return True
        return self._phrase(len(members), sample, new)

    def _new(self, runs: Runs, gaps: Sequence[str]) -> list[tuple[int, str]]:
        """The runs, cut to what is in the slots, each with its slot."""
        found = {}
        for run in runs:
            inside = [(slot, _inside(run, gap)) for slot, gap in enumerate(gaps)]
            best = max(inside, key=lambda one: len(one[1]))
            found.update(dict.fromkeys((best, *self._across(run, gaps))))
        return [one for one in found if one[1]]

    def _across(self, run: str, gaps: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Slots that the run fills, and goes on at either side."""
        for slot in range(1, len(gaps) - 1):
            around = self.runs[slot - 1][-1] + gaps[slot] + self.runs[slot][0]
            if gaps[slot] and around in run:
                yield slot, gaps[slot]

    def _few(self, slot: int) -> bool:
        """Whether few short values fill this slot."""
        values = Counter(one[slot] for one in self.gaps.values())
        often = [value for value, n in values.items() if n >= max(LEAST, 0.05 * self.size)]
        covered = sum(values[value] for value in often)
        return (
            2 <= len(often) <= FEW
            and covered >= 0.85 * len(self.gaps)
            and max(map(len, often)) <= VALUE
        )

    def _two_ways(self, slot: int, inward: int) -> bool:
        """Whether the slot begins (ends) with one of two or three words, and goes on alike.

        Or with a bullet or not: lists that are marked in different ways.
        """
        filled = [one[slot][::inward] for one in self.gaps.values() if one[slot]]
        first = Counter(gap[0] for gap in filled)
        least = max(LEAST + 1, 0.05 * self.size)
        often = [token for token, n in first.items() if n >= least]
        if not 2 <= len(often) <= FEW or sum(map(first.__getitem__, often)) < 0.95 * len(self.gaps):
            return False
        if any(token in BULLETS for token in often):
            return True
        second = Counter(gap[1:2] for gap in filled)
        return all(map(is_word, often)) and second.most_common(1)[0][1] >= 0.9 * len(filled)

    def _sentence(self, sample: Sequence[Sequence[str]], slot: int, run: str) -> bool:
        """Whether this is words between the wording and an end of the text or of a line."""
        if _is_item(run) or sum(is_word(char) and char != NUMBER for char in run) < 3:
            return False
        if (run[0] == BEGIN[0] or is_line(run[0])) and _ends(sample, slot, run):
            return True
        return (run[-1] == END[0] or is_line(run[-1])) and _begins(sample, slot, run)

    def _phrase(
        self, members: int, sample: Sequence[Sequence[str]], new: list[tuple[int, str]]
    ) -> bool:
        """Whether these are words at an edge of a slot that are hardly found elsewhere."""
        found = [(slot, run) for slot, run in new if not _is_item(run)]
        runs = [run for _, run in found]
        at_edge = any(_begins(sample, *one) or _ends(sample, *one) for one in found)
        if not runs or (not at_edge and members < ANYWHERE * self.size):
            return False
        longest = max(runs, key=len)
        words = sum(is_word(char) and char != NUMBER for run in runs for char in run)
        total = sum(map(len, runs))
        if any(map(_has_label, runs)):
            return words > 0 and total >= 3 and members >= 0.2 * self.size
        share = 0.05 if words >= MANY else 0.12
        if words < 3 or total < 4 or members < max(PHRASE, share * self.size):
            return False
        rarest = min(self.frequency(longest[at : at + 3]) for at in range(max(1, len(longest) - 2)))
        return rarest <= 1.4 * members + 2


def _is_item(run: str) -> bool:
    """Whether this is of a list: what is offered, and not what is asked."""
    return is_line(run[0]) and run[1:2] in tuple(BULLETS)


def _inside(run: str, gap: str) -> str:
    """The part of the run that is in the gap: a run may go beyond it at either side."""
    if run in gap:
        return run
    if gap and gap in run[1:-1]:
        return gap
    for size in range(min(len(run), len(gap), LONGEST), 0, -1):
        if gap.startswith(run[-size:]):
            return run[-size:]
        if gap.endswith(run[:size]):
            return run[:size]
    return ""


def _same(sample: Sequence[Sequence[str]], slot: int) -> bool:
    """Whether the slot is filled alike in nearly all of them."""
    return Counter(one[slot] for one in sample).most_common(1)[0][1] >= 0.9 * len(sample)


def _begins(sample: Sequence[Sequence[str]], slot: int, run: str) -> bool:
    return sum(one[slot].startswith(run) for one in sample) >= 0.9 * len(sample)


def _ends(sample: Sequence[Sequence[str]], slot: int, run: str) -> bool:
    return sum(one[slot].endswith(run) for one in sample) >= 0.9 * len(sample)


def _has_label(run: str) -> bool:
    return any(
        (is_line(char) or char == BEGIN[0]) and is_label(run, at + 1) for at, char in enumerate(run)
    )
