"""What the worker knows of one pattern beside its template: how often it came, how it is made."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.model import Json
from llmproxy_core.patterns.types import Structure
from llmproxy_core.worker.consolidating import Described
from llmproxy_core.worker.lesson import Shape

MOST_NAMES = 20
"""Of programs, wires and roles that are counted apart."""


@dataclass(slots=True)
class Known:
    """`first`, `last`: ns since 1970. `made`: calls that offer tools, bring results, ask for a
    schema; `names`: wires, sites and roles with their calls."""

    calls: int = 0
    first: int = 0
    last: int = 0
    made: Counter[str] = field(default_factory=Counter)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    type: str | None = None
    confidence: float | None = None
    pieces: list[str | None] = field(default_factory=list)
    _shapes: dict[Shape, int] = field(default_factory=dict)
    """Calls that are not in `made` and `names` yet."""

    def add(self, at: int, shape: Shape) -> None:
        self.calls += 1
        self.first = min(self.first or at, at)
        self.last = max(self.last, at)
        self._shapes[shape] = self._shapes.get(shape, 0) + 1
        if len(self._shapes) > MOST_NAMES:
            self._sum()

    def take(self, other: "Known") -> None:
        """What was another pattern is this one."""
        self._sum()
        other._sum()
        self.calls += other.calls
        self.first = min(self.first or other.first, other.first or self.first)
        self.last = max(self.last, other.last)
        self.made += other.made
        for kind, names in other.names.items():
            self.names.setdefault(kind, Counter()).update(names)

    def describe(self, told: Described) -> bool:
        """Take over what a consolidation says of it; is it something else than before?"""
        new = (told.pieces, told.type, told.confidence)
        changed = new != (self.pieces, self.type, self.confidence)
        self.pieces, self.type, self.confidence = new
        return changed

    def _sum(self) -> None:
        shapes, self._shapes = self._shapes, {}
        for shape, times in shapes.items():
            for name in ("tools", "tool_results", "schema"):
                self.made[name] += times * getattr(shape, name)
            for kind, names in (
                ("wires", (shape.wire,)),
                ("sites", (shape.site,)),
                ("roles", shape.roles),
            ):
                told = self.names.setdefault(kind, Counter())
                for name in names:
                    if name and (name in told or len(told) < MOST_NAMES):
                        told[name] += times

    def structure(self) -> Structure:
        self._sum()
        most = max(1, self.calls)
        return Structure(
            *(min(1.0, self.made[name] / most) for name in ("tools", "tool_results", "schema"))
        )

    def to_json(self) -> dict[str, Json]:
        self._sum()
        return {"made": dict(self.made), **{kind: dict(told) for kind, told in self.names.items()}}

    def read(self, value: Any) -> None:
        """What `to_json` gave; what is none of it is left out."""
        if not isinstance(value, dict):
            return
        for kind, told in value.items():
            if isinstance(told, dict):
                counted = Counter({str(name): int(n) for name, n in told.items()})
                if kind == "made":
                    self.made = counted
                else:
                    self.names[kind] = counted
