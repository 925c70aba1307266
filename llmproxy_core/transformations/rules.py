"""The transformations in force: which of them apply to a request, and what becomes of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.errors import ConfigError, ExpressionError
from llmproxy_core.expressions.pinned import pinned
from llmproxy_core.model import Headers
from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.namespace.signed import signed
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.transformations.alike import Alike, Numbered
from llmproxy_core.transformations.applying import Applied, finished
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Span
from llmproxy_core.transformations.transformation import (
    Transformation,
    TransformationSettings,
    transformation,
)

PINS = (
    *("pattern.id", "pattern.name", "pattern.system", "pattern.tools", "session.id"),
    *("key.fingerprint", "namespace", "client.name", "client.user", "model", "wire"),
    *("request.path", "provider.host", "provider.name", "pattern.type", "operation"),
)
"""Facts by whose value rules are looked up, the most telling first."""


@dataclass(frozen=True, slots=True)
class Left:
    """A rule that applied and was not done: why, in a word and in a sentence."""

    name: str
    reason: str
    said: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request after all rules. `edits`: of the body that came, as in `Applied`. `done`: names of
    the rules that were done, in order, also of those that found nothing to change. `places`: where
    the values of the body that came stand in it, by their keys, if it was looked at."""

    body: bytes
    path: str
    headers: Headers
    edits: list[Edit] = field(default_factory=list)
    done: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    notes: list[str] = field(default_factory=list)
    places: Mapping[str, Span] = field(default_factory=dict)


class Rules:
    """Never changes. Those with the lowest `order` come first, by name where it is equal.

    A rule that pins a fact is looked up by its value; the others are asked with those that look at
    the same facts.
    """

    def __init__(self, transformations: Iterable[Transformation] = ()) -> None:
        active = [one for one in transformations if one.settings.active]
        self.all = tuple(sorted(active, key=lambda one: (one.settings.order, one.name)))
        self.asked: frozenset[str] = frozenset().union(
            *(one.expression.variables for one in self.all)
        )
        """The variables that are looked at: `policies.facts.of_request` wants them."""
        self._by: dict[str, dict[str, list[int]]] = {}
        always: dict[frozenset[str], list[Numbered]] = {}
        for number, one in enumerate(self.all):
            if not self._file(number, one.settings.when):
                looks = one.expression.variables
                always.setdefault(looks, []).append((number, one.expression))
        self._always = [Alike(names, rules) for names, rules in always.items()]

    @classmethod
    def of(cls, settings: Iterable[TransformationSettings]) -> "Rules":
        """Raises ConfigError: one can be done nowhere; ExpressionError."""
        return cls(transformation(one) for one in settings if one.active)

    @classmethod
    def of_good(cls, settings: Iterable[TransformationSettings]) -> tuple["Rules", list[str]]:
        """Those that can be done, and why others cannot: one bad row must not stop the others."""
        good, problems = [], []
        for one in settings:
            try:
                good += [transformation(one)] if one.active else []
            except (ConfigError, ExpressionError) as error:
                problems.append(str(error))
        return cls(good), problems

    def __bool__(self) -> bool:
        return bool(self.all)

    def matching(self, wire: str, facts: Mapping[str, Any]) -> list[Transformation]:
        """Those that apply, in order."""
        numbers = [number for alike in self._always for number in alike.holding(facts)]
        for name, filed in self._by.items():
            value = facts.get(name)
            for number in filed.get(value, ()) if isinstance(value, str) else ():
                if self.all[number].holds(facts):
                    numbers.append(number)
        found = (self.all[number] for number in sorted(numbers))
        return [one for one in found if one.fits(wire)]

    def apply(
        self, wire: str, path: str, headers: Headers, body: bytes, facts: Mapping[str, Any]
    ) -> Outcome:
        """`body`: without content codings, or a frame. `facts`: by the names of `triggers`; `wire`
        is told here. Each rule is done in full or not at all. Raises nothing."""
        found = self.matching(wire, {**facts, "wire": wire})
        if not found:
            return Outcome(body, path, headers)
        return done(wire, path, headers, body, found)

    def _file(self, number: int, when: str) -> bool:
        """Does it pin a fact?"""
        for name in PINS:
            values = pinned(when, name)
            if values is not None:
                filed = self._by.setdefault(name, {})
                for value in values:
                    filed.setdefault(value, []).append(number)
                return True
        return False


def done(
    wire: str,
    path: str,
    headers: Headers,
    body: bytes,
    rules: Sequence[Transformation],
    fields: Fields | None = None,
) -> Outcome:
    """`fields`: of the `body`, if they are known. A rule that cannot be done is left out, and the others are done again from the start: that
    is rare, and keeps what each of them changes in one set of edits."""
    left: list[Left] = []
    is_signed = signed(headers, path)
    rules = [*rules]
    while True:
        draft = Draft(wire, path, headers, body, signed=is_signed, fields=fields)
        failed = _first_failing(draft, rules)
        if failed is None:
            break
        number, why = failed
        left.append(Left(rules[number].name, why.reason, why.said))
        del rules[number]
    made: Applied = finished(draft)
    names = tuple(one.name for one in rules)
    return Outcome(
        *(made.body, made.path, made.headers, made.edits, names, tuple(left), made.notes),
        made.places,
    )


def _first_failing(draft: Draft, rules: Sequence[Transformation]) -> tuple[int, Cannot] | None:
    for number, rule in enumerate(rules):
        try:
            for action in rule.actions:
                action(draft)
        except Cannot as why:
            return number, why
    return None
