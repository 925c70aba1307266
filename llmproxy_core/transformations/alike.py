"""Rules that look at the same facts, asked once for each combination of what these say."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmproxy_core.expressions import Expression
from llmproxy_core.expressions.triggers import VARIABLES
from llmproxy_core.spans.recent import Recent

type Numbered = tuple[int, Expression]

KNOWN = 256
"""Combinations that are remembered, at least."""
LONGEST = 1000
"""Characters of one that is."""
FEW = frozenset({"time.hour", "time.weekday"})
"""Numbers of which there are few."""


class Alike:
    """Never changes but for what it remembers: what an expression says follows from its facts."""

    __slots__ = ("_known", "_names", "_remembers", "_rules")

    def __init__(self, names: frozenset[str], rules: Sequence[Numbered]) -> None:
        """`names`: of the facts that all of them look at. `rules`: by their numbers."""
        self._names = tuple(sorted(names))
        self._rules = rules
        self._known: Recent[tuple[Any, ...], list[int]] = Recent(KNOWN)
        self._remembers = all(VARIABLES[name] == "text" or name in FEW for name in names)

    def holding(self, facts: Mapping[str, Any]) -> list[int]:
        """The numbers of those that hold."""
        if not self._remembers:
            return self._ask(facts)
        key = tuple([facts.get(name) for name in self._names])
        found = self._known.get(key)
        if found is None:
            found = self._ask(facts)
            if sum(len(str(one)) for one in key) < LONGEST:
                self._known[key] = found
        return found

    def _ask(self, facts: Mapping[str, Any]) -> list[int]:
        return [number for number, expression in self._rules if expression.holds(facts)]
