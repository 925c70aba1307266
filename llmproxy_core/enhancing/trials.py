"""Experiments as a proxy has them: which conversations begin in them, and what becomes of these."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmproxy_core import expressions
from llmproxy_core.enhancing.recognised import Patterns
from llmproxy_core.errors import ConfigError
from llmproxy_core.experiments.assignment import arm, held_out
from llmproxy_core.experiments.begun import Conversation
from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.expressions import Expression
from llmproxy_core.expressions.triggers import SAME, VARIABLES
from llmproxy_core.sections.operations import Operation, read_operations
from llmproxy_core.transformations.transformation import Transformation, transformation

LIVE = frozenset({"running", "won", "futile", "stopped", "promoted"})
"""With any other status nobody is in it (any more)."""
HELD_OUT = "holdout"
VARIANT = "experiment:"
"""How the names of variants begin, where transformations have theirs: with it, none can."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A variant, in the words of a transformation."""

    name: str
    when: str
    logic: tuple[Operation, ...]
    order: int = 0
    active: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """`rule`: the transformation that the winner has become; "": it is none, or not promoted."""

    experiment: Experiment
    namespace: str
    rule: str
    expression: Expression | None
    variants: Mapping[str, Transformation]

    @property
    def id(self) -> str:
        return self.experiment.id

    def matches(
        self, patterns: Patterns, now: Callable[[str], str], facts: Iterable[Mapping[str, Any]]
    ) -> bool:
        """Does a conversation that begins this way begin in it? `now`: what a pattern has become."""
        wanted = now(self.experiment.pattern or "")
        if wanted and wanted not in (patterns.user, patterns.system, patterns.tools):
            return False
        return self.expression is None or any(map(self.expression.holds, facts))

    def arm(self, conversation: Conversation) -> str | None:
        """None: the conversation is in none of its arms."""
        if self.id not in conversation.experiments:
            return None
        found = arm(self.experiment, conversation.root, conversation.begun)
        if found is None and self._holds_out(conversation):
            return HELD_OUT
        return found

    def is_rule(self, found: str | None) -> bool:
        """Is this arm what its rule does?"""
        return bool(self.rule) and found == self.experiment.promoted

    def _holds_out(self, conversation: Conversation) -> bool:
        begun = conversation.begun >= self.experiment.since("running")
        return begun and held_out(self.experiment, conversation.root)


def trial(entry: Mapping[str, Any]) -> Trial | None:
    """Of the rulebook: an experiment as JSON, beside it its `namespace` and maybe a `rule`. None:
    it has come to an end. Raises ConfigError: what is wrong with it."""
    rest = dict(entry)
    namespace, rule = rest.pop("namespace", "default"), rest.pop("rule", None) or ""
    one = Experiment.of(rest)
    if one.status not in LIVE:
        return None
    if not isinstance(namespace, str) or not isinstance(rule, str):
        raise ConfigError(f"Experiment {one.name!r}: `namespace` and `rule` are names.")
    expression = expressions.compile(one.when, VARIABLES, SAME) if one.when else None
    return Trial(one, namespace, rule, expression, _variants(one))


def _variants(one: Experiment) -> dict[str, Transformation]:
    """Without those that change nothing."""
    found = {}
    for variant in one.variants:
        if variant.operations:
            logic = read_operations(variant.operations)
            name = VARIANT + one.id
            found[variant.name] = transformation(Variation(name, one.when or "true", logic))
    return found
