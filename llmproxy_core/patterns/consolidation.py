"""Which pattern each template belongs to, when templates are found anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.shape import shape
from llmproxy_core.patterns.templates import Runs
from llmproxy_core.patterns.variants import LEAST

type Change = Literal["born", "reworded", "split", "merged", "renamed"]


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a pattern.

    `other` is the pattern it split from, or the one it was merged into; for a new name, the old one.
    """

    change: Change
    pattern: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Succession:
    """Who has which template from now on."""

    heirs: Mapping[Runs, Pattern]
    """Templates of patterns that were there before."""
    merged: Mapping[str, Runs]
    """Ids of patterns whose prompts now belong to the template of another one."""
    parents: Mapping[Runs, str]
    """New templates with prompts of a pattern that was there before."""


def succession(patterns: Sequence[Pattern], templates: Sequence[Runs]) -> Succession:
    """Old patterns first choose: the oldest one gets the template to which most of its prompts go."""
    index = Index(templates)
    heirs: dict[Runs, Pattern] = {}
    merged: dict[str, Runs] = {}
    parents: dict[Runs, str] = {}
    known = {one.runs for one in patterns}
    for pattern in sorted(patterns, key=lambda one: one.born):
        shares = _shares(pattern, index)
        if pattern.runs in templates and pattern.runs not in heirs:
            first = pattern.runs
        else:
            first = next((runs for runs, _ in shares.most_common()), pattern.runs)
        if first in heirs:
            merged[pattern.id] = first
        else:
            heirs[first] = pattern
        for runs, count in shares.items():
            if runs != first and runs not in known and count >= LEAST:
                parents.setdefault(runs, pattern.id)
    return Succession(heirs, merged, parents)


def _shares(pattern: Pattern, index: Index) -> Counter[Runs]:
    found: Counter[Runs] = Counter()
    for text in pattern.examples:
        number = index.best(shape(text))
        if number is not None:
            found[index.templates[number]] += 1
    return found
