"""Leave-source-out: a group of attacks and a fold of harmless sources are both unseen at once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.injection.corpus import ATTACKS, HARD, HARMLESS, Document
from training.injection.fitting import Linear, Part, learnt, taught
from training.injection.instances import Habits, Instances, Reader
from training.injection.made import made
from training.injection.measures import Caught, caught, threshold, together

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """Whose texts a set of weights judges: which harmless documents it meets, which attacks."""

    name: str
    meets: Callable[[Document], bool]
    habits: Habits
    groups: tuple[str, ...] = tuple(ATTACKS)


@dataclass(slots=True)
class Outcome:
    """By group or source, one measure for each fold of harmless sources.

    `hard`: the share of the hard harmless sentences that is flagged; `calm`: logits of harmless
    texts of unseen sources; `flagged`: shares by source of harmless texts.
    """

    groups: dict[str, list[Caught]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[str, list[Caught]] = field(default_factory=lambda: defaultdict(list))
    context: list[Caught] = field(default_factory=list)
    wording: list[Caught] = field(default_factory=list)
    hard: list[float] = field(default_factory=list)
    calm: list[Floats] = field(default_factory=list)
    flagged: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def mean(self) -> Caught:
        return together(
            "mean of groups", [together(name, one) for name, one in self.groups.items()]
        )


class Material:
    """All that is learnt from; made texts by the harmless fold that they must not borrow from."""

    def __init__(self, reader: Reader, documents: list[Document], wire: list[Document]) -> None:
        self.reader = reader
        self.real = reader.instances(documents)
        self.wire = reader.instances(wire) if wire else None
        self.teachers: dict[tuple[str, int], Linear] = {}
        self._made: dict[int, Instances] = {}

    def made(self, without: int) -> Instances:
        if without not in self._made:
            carriers = [
                one.text
                for one in self.real.documents
                if not one.attack and one.fold not in (without, -1) and len(one.text) > 150
            ]
            self._made[without] = self.reader.instances(made(carriers, without + 1))
        return self._made[without]


def model(material: Material, head: Head, group: str, fold: int) -> Linear:
    """What is learnt without a group of attacks and a fold of harmless sources; "", -1: from all.

    Attacks of those harmless sources are left out too: many are their harmless texts with an
    attack put in.
    """
    harmless = [
        _part(material.real, lambda one: not one.attack and head.meets(one) and one.fold != fold)
    ]
    if material.wire is not None:
        harmless.append(_part(material.wire, lambda one: True))
    grown = _part(material.made(fold), lambda one: one.attack or head.meets(one))
    kin = (
        {name for name, words in ATTACKS.items() if set(words) & set(HARMLESS[fold])}
        if fold >= 0
        else set()
    )
    attacks = _part(material.real, lambda one: one.attack and one.fold not in {group, *kin})
    key = head.name, fold
    if key not in material.teachers:
        material.teachers[key] = taught(harmless, grown)
    return learnt(harmless, grown, attacks, material.teachers[key])


def _part(instances: Instances, wanted: Callable[[Document], bool]) -> Part:
    return Part(instances, np.flatnonzero([wanted(one) for one in instances.documents]))


def evaluated(material: Material, head: Head, say: Callable[[str], None]) -> Outcome:
    """Every group of attacks against every fold of harmless sources."""
    outcome = Outcome()
    for group in head.groups:
        for fold in range(len(HARMLESS)):
            logits = model(material, head, group, fold).opinions(material.real, head.habits)
            _note(outcome, material.real.documents, logits, (head, group, fold))
        say(f"{head.name}: {together(group, outcome.groups[group])}")
    return outcome


def _note(
    outcome: Outcome, documents: Sequence[Document], logits: Floats, left: tuple[Head, str, int]
) -> None:
    head, group, fold = left
    told = list(zip(documents, logits, strict=True))
    attacks = [(one, logit) for one, logit in told if one.attack and one.fold == group]
    harmless = [
        (one, logit)
        for one, logit in told
        if not one.attack and one.fold == fold and head.meets(one) and one.source != HARD
    ]
    calm = _logits(harmless)
    zero = threshold(calm)
    outcome.calm.append(calm)
    outcome.groups[group].append(caught(group, _logits(attacks), calm))
    for source, some in _by_source(attacks).items():
        outcome.sources[source].append(caught(source, some, calm))
    for found, by_context in ((outcome.context, True), (outcome.wording, False)):
        some = _logits([(one, logit) for one, logit in attacks if one.by_context == by_context])
        if some.size:
            found.append(caught(group, some, calm))
    for source, some in _by_source(harmless).items():
        outcome.flagged[source].append(float((some > zero).mean()))
    if any(word in HARD for word in HARMLESS[fold]):
        hard = _logits([(one, logit) for one, logit in told if one.source == HARD])
        outcome.hard.append(float((hard > zero).mean()))


def _logits(told: Sequence[tuple[Document, float]]) -> Floats:
    return np.array([logit for _, logit in told])


def _by_source(told: Sequence[tuple[Document, float]]) -> dict[str, Floats]:
    sources = sorted({one.source for one, _ in told})
    return {
        name: _logits([(one, logit) for one, logit in told if one.source == name])
        for name in sources
    }
