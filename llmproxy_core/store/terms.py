"""What a filter is made of: conditions on the fields of a `Flow`, as SQL and as a predicate."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from llmproxy_core.store.feed import FLOW, answered
from llmproxy_core.store.flows import Flow

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


class Term(Protocol):
    def sql(self) -> ColumnElement[bool]:
        """Never NULL."""
        ...

    def matches(self, flow: Flow) -> bool: ...


@dataclass(frozen=True, slots=True)
class Contains:
    """One of the fields contains `needle`."""

    fields: Sequence[str]
    needle: str

    def sql(self) -> ColumnElement[bool]:
        return or_(
            *(func.coalesce(_contains(FLOW[name], self.needle), false()) for name in self.fields)
        )

    def matches(self, flow: Flow) -> bool:
        needle = folded(self.needle)
        return any(needle in folded(getattr(flow, name) or "") for name in self.fields)


@dataclass(frozen=True, slots=True)
class Compares:
    """The sum of the fields that are known, compared with `number`; false if none is known."""

    fields: Sequence[str]
    sign: str
    number: Decimal

    def sql(self) -> ColumnElement[bool]:
        columns = [FLOW[name] for name in self.fields]
        known = or_(*(column.is_not(None) for column in columns))
        total = columns[0]
        if len(columns) > 1:
            total = sum((func.coalesce(column, 0) for column in columns), start=literal(0))
        return and_(known, SIGNS[self.sign](total, self._parameter(total)))

    def matches(self, flow: Flow) -> bool:
        values = [value for name in self.fields if (value := getattr(flow, name)) is not None]
        number = float(self.number) if self._floating else self.number
        return bool(values) and bool(SIGNS[self.sign](sum(values), number))

    @property
    def _floating(self) -> bool:
        return self.fields[0].endswith("_ms")

    def _parameter(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """In the type of the column if possible: then the planner knows how rare it is."""
        whole = self.number == int(self.number)
        if self._floating:
            return bindparam(None, float(self.number), Double)
        if whole and isinstance(column.type, Integer):
            return bindparam(None, int(self.number), BigInteger)
        return bindparam(None, self.number, Numeric)


@dataclass(frozen=True, slots=True)
class HasId:
    """A part of an id in hex, dashes or not."""

    field: str
    digits: str

    def sql(self) -> ColumnElement[bool]:
        if len(self.digits) == 32:
            return FLOW[self.field] == UUID(self.digits)
        text = func.replace(cast(FLOW[self.field], Text), "-", "")
        return func.strpos(text, self.digits) > 0

    def matches(self, flow: Flow) -> bool:
        found: UUID = getattr(flow, self.field)
        return self.digits in found.hex


@dataclass(frozen=True, slots=True)
class Calls:
    """The answer calls a tool whose name, as sent or as the client has it, contains `needle`."""

    needle: str

    def sql(self) -> ColumnElement[bool]:
        name = func.unnest(FLOW["tool_names"]).column_valued("called")
        sent = exists(select(1).where(_contains(name, self.needle)))
        long = func.jsonb_each_text(FLOW["shortened"]).table_valued("key", "value", name="long")
        called = long.c.key == func.any(FLOW["tool_names"])
        return or_(
            sent, exists(select(1).where(called, _contains(cast(long.c.value, Text), self.needle)))
        )

    def matches(self, flow: Flow) -> bool:
        names = (*flow.tool_names, *flow.client_tool_names)
        return any(folded(self.needle) in folded(name) for name in names)


@dataclass(frozen=True, slots=True)
class InState:
    state: str

    def sql(self) -> ColumnElement[bool]:
        if self.state == "open":
            return FLOW["state"] == self.state
        return and_(answered.state.is_not(None), answered.state == self.state)

    def matches(self, flow: Flow) -> bool:
        return flow.state == self.state


@dataclass(frozen=True, slots=True)
class Flag:
    """A field that is true, or that is there at all."""

    field: str

    def sql(self) -> ColumnElement[bool]:
        column = FLOW[self.field]
        return column if column.type.python_type is bool else column.is_not(None)

    def matches(self, flow: Flow) -> bool:
        value = getattr(flow, self.field)
        return value is not None and value is not False


@dataclass(frozen=True, slots=True)
class AnyOf:
    terms: Sequence[Term]

    def sql(self) -> ColumnElement[bool]:
        return or_(*(term.sql() for term in self.terms))

    def matches(self, flow: Flow) -> bool:
        return any(term.matches(flow) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Not:
    term: Term

    def sql(self) -> ColumnElement[bool]:
        return not_(self.term.sql())

    def matches(self, flow: Flow) -> bool:
        return not self.term.matches(flow)


def _contains(column: ColumnElement[Any], needle: str) -> ColumnElement[bool]:
    """The collation "C" lowers A-Z alone, as `folded` does."""
    return func.strpos(func.lower(column.collate("C")), folded(needle)) > 0


def folded(text: str) -> str:
    """A-Z in lower case, all else as it is."""
    if text.isascii():
        return text.lower()
    return text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
