"""What improves requests, in force: transformations, experiments and patterns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmproxy_core.enhancing.recognised import NOBODY, Patterns, Recognised
from llmproxy_core.enhancing.trials import Trial
from llmproxy_core.transformations.rules import Rules
from llmproxy_core.transformations.transformation import Transformation

IDS = ("pattern.id", "pattern.system", "pattern.tools")
PATTERNS = frozenset(
    {"pattern.id", "pattern.name", "pattern.type", "pattern.system", "pattern.tools"}
)


class Improving:
    """Those in force. Never changes.

    `rules`: transformations, but for those that stand for the winner of an experiment, which are in
    `winners` by their names. `asked`: the variables that are looked at.
    """

    def __init__(
        self,
        transformations: Iterable[Transformation] = (),
        trials: Iterable[Trial] = (),
        patterns: Mapping[str, Recognised] | None = None,
    ) -> None:
        active = {one.name: one for one in transformations if one.settings.active}
        self.trials: dict[str, list[Trial]] = {}
        for one in trials:
            self.trials.setdefault(one.namespace, []).append(one)
        told = {one.rule for there in self.trials.values() for one in there}
        self.winners = {name: one for name, one in active.items() if name in told}
        self.rules = Rules(one for name, one in active.items() if name not in told)
        self.patterns = patterns or {}
        self.asked = self.rules.asked.union(
            *(one.expression.variables for one in self.winners.values()),
            *(
                one.expression.variables
                for there in self.trials.values()
                for one in there
                if one.expression
            ),
        )
        self._before = {name: self._named(one) for name, one in self.patterns.items()}
        self._by_rules = not PATTERNS.isdisjoint(self.asked)

    def __bool__(self) -> bool:
        """Is there anything to be done at all?"""
        return bool(self.rules or self.trials)

    def known(self, namespace: str) -> Recognised:
        return self.patterns.get(namespace, NOBODY)

    def facts(self, namespace: str, patterns: Patterns) -> list[dict[str, Any]]:
        """What expressions are told of patterns; also under the ids of those that were merged into
        them, as far as expressions name these."""
        told = self.known(namespace).facts(patterns)
        found = [told]
        for id, before in self._before.get(namespace, ()):
            for name in IDS:
                if told[name] == id:
                    found.append(told | {name: before})
        return found

    def matching(self, wire: str, told: Sequence[Mapping[str, Any]]) -> list[Transformation]:
        """The rules that apply, in order, by any of these facts."""
        if len(told) == 1:
            return self.rules.matching(wire, told[0])
        found = {one.name: one for facts in told for one in self.rules.matching(wire, facts)}
        return [one for one in self.rules.all if one.name in found]

    def asks_patterns(self, namespace: str) -> bool:
        """Does anybody want to know the pattern of a call?"""
        trials = self.trials.get(namespace, ())
        return self._by_rules or any(one.experiment.pattern for one in trials)

    def asks_kind(self, kind: str, namespace: str) -> bool:
        """`kind`: system or tools."""
        if f"pattern.{kind}" in self.asked:
            return True
        known, trials = self.known(namespace), self.trials.get(namespace, ())
        return any(
            known.kinds.get(known.now(one.experiment.pattern or "")) == kind for one in trials
        )

    def _named(self, known: Recognised) -> list[tuple[str, str]]:
        """Patterns that were merged and that expressions still name, behind what they became."""
        expressions = [one.expression.text for one in (*self.rules.all, *self.winners.values())]
        expressions += [one.experiment.when for there in self.trials.values() for one in there]
        text = "\n".join(expressions)
        return [(known.now(id), id) for id in known.merged if id in text]


NOTHING = Improving()
