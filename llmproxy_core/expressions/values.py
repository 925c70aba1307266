"""The kinds of values in an expression, and how a fact is read as one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

type Facts = Mapping[str, Any]
"""What is known of a call, by variable name (`finding.family`); None, or no entry: not known."""
type Answer = Callable[[Facts], Any]
"""None: not known."""
type Plain = Literal["text", "number", "bool", "list", "null"]


@dataclass(frozen=True, slots=True)
class Words:
    """A text that is one of these. `ordered`: `<` and `>` go by their order here."""

    words: tuple[str, ...]
    ordered: bool = False


type Type = Plain | Words
"""`list`: of texts."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of an expression: what kind of value it has, and how to get it."""

    type: Type
    answer: Answer
    start: int
    constant: bool = False

    @property
    def kind(self) -> Plain:
        return "text" if isinstance(self.type, Words) else self.type


def reader(name: str, type_: Type) -> Answer:
    """Reads a variable; a fact of another kind than the variable's is not known."""
    if type_ == "number":
        return lambda facts: _number(facts.get(name))
    wanted = _classes(type_)

    def read(facts: Facts) -> Any:
        value = facts.get(name)
        return value if isinstance(value, wanted) else None

    return read


def _classes(type_: Type) -> type | tuple[type, ...]:
    if type_ == "list":
        return (list, tuple, set, frozenset)
    return bool if type_ == "bool" else str


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal) and not value.is_nan():
        return float(value)
    return None
