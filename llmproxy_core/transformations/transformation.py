"""A transformation in force: what it applies to, what it does, and where it can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmproxy_core import expressions
from llmproxy_core.errors import ConfigError
from llmproxy_core.expressions import Expression
from llmproxy_core.expressions.pinned import pinned
from llmproxy_core.expressions.triggers import SAME, VARIABLES
from llmproxy_core.sections.operations import Operation
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.actions.registry import action, hindrance
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.dialects.registry import DIALECTS, dialects

SPOKEN: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai.",),
    "groq": ("openai.",),
    "xai": ("openai.", "anthropic."),
    "mistral": ("openai.", "mistral."),
    "google": ("gemini", "openai."),
    "cohere": ("cohere.", "openai."),
    "anthropic": ("anthropic.", "openai.chat"),
}
"""How the formats begin that a provider speaks; one that is not here may speak all."""


class TransformationSettings(Protocol):
    """A transformation as it is written down: a table `[[transformations]]`, or a row."""

    @property
    def name(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def logic(self) -> Sequence[Operation]: ...
    @property
    def order(self) -> int: ...
    @property
    def active(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Transformation:
    settings: TransformationSettings
    expression: Expression
    actions: tuple[Action, ...]
    wires: frozenset[str]
    """Formats whose requests it can change. Others, unknown ones, too, if `anywhere`."""
    anywhere: bool

    @property
    def name(self) -> str:
        return self.settings.name

    def fits(self, wire: str) -> bool:
        return wire in self.wires or (self.anywhere and wire not in DIALECTS)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return self.expression.holds(facts)

    def check(self) -> dict[str, str]:
        """Of each wire format that `when` allows: why it cannot be done there; "": it can."""
        return checked(self.settings)


def transformation(settings: TransformationSettings) -> Transformation:
    """Raises ConfigError: it can be done nowhere; ExpressionError: `when` is no expression."""
    expression = expressions.compile(settings.when, VARIABLES, SAME)
    found = checked(settings)
    wires = frozenset(wire for wire, why in found.items() if not why)
    anywhere = not _hindrance(settings.logic, dialects("other")) and "other" in found
    if not wires and not anywhere:
        reasons = "; ".join([*dict.fromkeys(found.values())][:3]) or "no wire format is left"
        raise ConfigError(
            f"transformation {settings.name}: it can be done in no request that it is for: "
            f"{reasons}. Change `when` or `logic`; docs/transformations.md says what is where."
        )
    actions = tuple(action(one) for one in settings.logic)
    return Transformation(settings, expression, actions, wires, anywhere)


def checked(settings: TransformationSettings) -> dict[str, str]:
    """See `Transformation.check`. `other`: formats that are not known."""
    return {wire: _hindrance(settings.logic, dialects(wire)) for wire in _allowed(settings.when)}


def _hindrance(logic: Sequence[Operation], spoken: Sequence[Dialect]) -> str:
    """Why no dialect can have all of it done."""
    said = []
    for dialect in spoken:
        reasons = [why for one in logic if (why := hindrance(one, dialect))]
        if not reasons:
            return ""
        said += reasons[:1]
    return said[0]


def _allowed(when: str) -> Sequence[str]:
    """The formats that an expression can be about, as far as it tells at a glance."""
    if (wires := pinned(when, "wire")) is not None:
        return sorted(wires)
    known = (*DIALECTS, "other")
    providers = pinned(when, "provider.name")
    if providers is None or any(name not in SPOKEN for name in providers):
        return known
    starts = tuple(start for name in providers for start in SPOKEN[name])
    return [wire for wire in known if wire.startswith(starts)]
