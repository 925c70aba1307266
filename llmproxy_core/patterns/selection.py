"""The templates that stay, of all that were found."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from llmproxy_core.patterns.discovery import weight
from llmproxy_core.patterns.fitting import fitted, spread
from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.shape import grams, is_word
from llmproxy_core.patterns.templates import Runs, enough, evidence, gaps, more_general
from llmproxy_core.patterns.variants import LEAST, Family


def selected(templates: Sequence[Runs], shapes: Sequence[str]) -> list[Runs]:
    """Those that explain prompts which no better one does, without those that repeat contents."""
    kept = _Choice(templates, shapes).made()
    if shared := _shared(kept, shapes):
        kept = _Choice(list(dict.fromkeys((*kept, *shared))), shapes).made()
    return relaxed(kept, shapes)


ALIKE = 0.6
"""Of the grams of a template, those another one must have for a search of what they share."""
NEIGHBOURS = 12


def _shared(templates: Sequence[Runs], shapes: Sequence[str]) -> list[Runs]:
    """What templates that are much alike have in common: they may differ in contents only."""
    index = Index(templates)
    fitting: dict[int, list[str]] = defaultdict(list)
    for shaped in shapes:
        number = index.best(shaped)
        if number is not None:
            fitting[number].append(shaped)
    found: dict[Runs, None] = {}
    for one, other in _pairs(templates):
        both = [*spread(fitting[one], 32), *spread(fitting[other], 32)]
        common = fitted(both) if both else ()
        if common and enough(common, len(both)):
            found[common] = None
    return list(found)


def _pairs(templates: Sequence[Runs]) -> Iterator[tuple[int, int]]:
    """Templates that begin or end alike and share most of their grams."""
    known = [frozenset().union(*map(grams, runs)) for runs in templates]
    near: dict[str, list[int]] = defaultdict(list)
    for number, runs in enumerate(templates):
        near[runs[0][:4]].append(number)
        near[runs[-1][-4:]].append(number)
    seen = set()
    for group in near.values():
        for at, one in enumerate(group):
            for other in group[at + 1 : at + 1 + NEIGHBOURS]:
                least = min(len(known[one]), len(known[other]))
                alike = len(known[one] & known[other]) >= ALIKE * least
                if alike and (one, other) not in seen:
                    seen.add((one, other))
                    yield one, other


def relaxed(templates: Sequence[Runs], shapes: Sequence[str]) -> list[Runs]:
    """Without the punctuation at the edges of slots, where it keeps out prompts that fit none."""
    index = Index(templates)
    left = [one for one in shapes if index.best(one) is None]
    loose = [tuple(map(_loose, runs)) for runs in templates]
    looser = Index(loose)
    needed = {number for one in left if (number := looser.best(one)) is not None}
    return [
        loose[at] if at in needed and enough(loose[at], LEAST) else runs
        for at, runs in enumerate(templates)
    ]


def _loose(run: str) -> str:
    inner = run
    while inner and inner[0] in EDGES:
        inner = inner[1:]
    while inner and inner[-1] in EDGES:
        inner = inner[:-1]
    return inner if any(map(is_word, inner)) else run


EDGES = ".?!,;\"'"


class _Choice:
    def __init__(self, templates: Sequence[Runs], shapes: Sequence[str]) -> None:
        self._templates = templates
        self._shapes = shapes
        self._fitting: list[list[int]] = [[] for _ in templates]
        index = Index(templates)
        for number, shaped in enumerate(shapes):
            for template in index.all(shaped):
                self._fitting[template].append(number)
        self._counts: Counter[str] | None = None
        self._pairs: dict[tuple[int, int], bool] = {}
        """Whether one of two templates is more general, as far as somebody asked."""

    def made(self) -> list[Runs]:
        kept = self._own(self._explaining())
        kept.sort(key=lambda one: evidence(self._templates[one]))
        dropped: set[int] = set()
        for one in kept:
            if one not in dropped:
                dropped |= self._repeating(one, [other for other in kept if other not in dropped])
        return [self._templates[one] for one in kept if one not in dropped]

    def _explaining(self) -> list[int]:
        """By weight: a template needs prompts that are not those of unrelated, better ones."""
        order = [one for one, fitting in enumerate(self._fitting) if len(fitting) >= LEAST]
        order.sort(key=lambda one: -weight(len(self._fitting[one]), self._templates[one]))
        owners: dict[int, list[int]] = {}
        kept = []
        for one in order:
            fitting = self._fitting[one]
            fresh = [text for text in fitting if self._free(one, owners.get(text))]
            if len(fresh) < max(LEAST - 1, 0.5 * len(fitting)):
                continue
            kept.append(one)
            for text in fresh:
                owners.setdefault(text, []).append(one)
        return kept

    def _own(self, kept: Sequence[int]) -> list[int]:
        """Without those whose prompts nearly all belong to several others: repeated contents."""
        fitting = {one: set(self._fitting[one]) for one in kept}
        owners: dict[int, list[int]] = {}
        for one in kept:
            for text in fitting[one]:
                owners.setdefault(text, []).append(one)
        return [one for one in kept if not self._elsewhere(one, fitting, owners)]

    def _elsewhere(
        self, one: int, fitting: Mapping[int, set[int]], owners: Mapping[int, Sequence[int]]
    ) -> bool:
        near = {other for text in fitting[one] for other in owners[text]} - {one}
        strange = {
            other
            for other in near
            if len(fitting[one] & fitting[other]) < 0.6 * len(fitting[other])
            and not self._related(one, other)
        }
        covered = sum(not strange.isdisjoint(owners[text]) for text in fitting[one])
        return len(strange) > 1 and covered >= 0.6 * len(fitting[one])

    def _free(self, one: int, owners: list[int] | None) -> bool:
        return not owners or any(self._related(one, owner) for owner in owners)

    def _related(self, one: int, other: int) -> bool:
        pair = (min(one, other), max(one, other))
        known = self._pairs.get(pair)
        if known is None:
            first, second = (self._templates[at] for at in pair)
            known = more_general(first, second) or more_general(second, first)
            self._pairs[pair] = known
        return known

    def _repeating(self, general: int, kept: Sequence[int]) -> set[int]:
        """Special cases of a template that are contents, or itself if it is only what they share."""
        runs = self._templates[general]
        special = [one for one in kept if more_general(runs, self._templates[one])]
        if not special:
            return set()
        own = self._fitting[general]
        filled = {one: gap for one in own if (gap := gaps(runs, self._shapes[one])) is not None}
        family = Family(len(own), runs, filled, self._frequency)
        wording = {
            one for one in special if family.wording(self._fitting[one], self._templates[one])
        }
        rest = set(own).difference(*(self._fitting[one] for one in wording))
        return {general} if len(rest) < LEAST else set(special) - wording

    def _frequency(self, gram: str) -> int:
        """Prompts that have a gram of a template."""
        if self._counts is None:
            wanted = {found for runs in self._templates for run in runs for found in grams(run)}
            self._counts = Counter(found for one in self._shapes for found in grams(one) & wanted)
        return self._counts[gram]
