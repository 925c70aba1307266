"""The shape of the advisor's answer, and the operations that its words stand for.

One flat shape for all operations: providers enforce such schemas, and models keep to them. What does
not belong to an operation has to be null.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.enhancement import EnhancementType
from llmproxy_core.model import Json

LONGEST_TEXT = 2000
MOST_CHANGES, MOST_OPERATIONS, MOST_MESSAGES, MOST_TOOLS = 3, 4, 8, 64

type Words = Annotated[str, Field(max_length=LONGEST_TEXT)]
type Name = Annotated[str, Field(min_length=1, max_length=200)]


class Proposed(BaseModel):
    """An operation, in the advisor's words."""

    model_config = ConfigDict(frozen=True)

    op: Literal[
        "prepend_system",
        "append_system",
        "replace_text",
        "add_messages",
        "set",
        "clamp",
        "response_format",
        "drop_tools",
    ]
    text: Words | None = None
    role: Literal["system", "user"] | None = None
    find: Words | None = None
    messages: Annotated[list["Said"], Field(max_length=MOST_MESSAGES)] | None = None
    parameter: Literal["max_tokens", "temperature", "top_p"] | None = None
    value: float | None = None
    min: float | None = None
    max: float | None = None
    format: Literal["json_object"] | None = None
    names: Annotated[list[Name], Field(max_length=MOST_TOOLS)] | None = None


class Said(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: Literal["user", "assistant"]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Proposal(BaseModel):
    """One change. `confidence` from 0 to 1: that fewer calls fail with it."""

    model_config = ConfigDict(frozen=True)

    type: EnhancementType
    operations: Annotated[list[Proposed], Field(min_length=1, max_length=MOST_OPERATIONS)]
    confidence: Annotated[float, Field(ge=0, le=1)]
    reasoning: Annotated[str, Field(min_length=1, max_length=1000)]


class Proposals(BaseModel):
    """None, where nothing is worth it."""

    model_config = ConfigDict(frozen=True)

    changes: Annotated[list[Proposal], Field(max_length=MOST_CHANGES)]


def operation(one: Proposed) -> Operation | str:
    """As a transformation spells it, or what is wrong with it."""
    needed, allowed, spelled = SPELLINGS[one.op]
    told = set(one.model_dump(exclude_none=True)) - {"op"}
    if missing := needed - told:
        return f"{one.op} without {', '.join(sorted(missing))}"
    if odd := told - needed - allowed:
        return f"{one.op} has no {', '.join(sorted(odd))}"
    return {"op": one.op, **spelled(one)}


def _added(one: Proposed) -> Mapping[str, Json]:
    return {"text": (one.text or "").strip()}


def _replaced(one: Proposed) -> Mapping[str, Json]:
    return {"role": one.role, "find": one.find, "replacement": one.text}


def _messages(one: Proposed) -> Mapping[str, Json]:
    return {"messages": [{"role": said.role, "text": said.text} for said in one.messages or ()]}


def _parameter(one: Proposed) -> Mapping[str, Json]:
    told = {"value": one.value, "min": one.min, "max": one.max}
    numbers = {key: _whole(number) for key, number in told.items() if number is not None}
    return {"parameter": one.parameter, **numbers}


def _whole(number: float) -> Json:
    """`800.0` is no number of tokens."""
    return int(number) if number.is_integer() else number


def _format(one: Proposed) -> Mapping[str, Json]:
    return {"type": one.format}


def _names(one: Proposed) -> Mapping[str, Json]:
    return {"names": list(one.names or ())}


SPELLINGS: Mapping[
    str, tuple[frozenset[str], frozenset[str], Callable[[Proposed], Mapping[str, Json]]]
] = {
    "prepend_system": (frozenset({"text"}), frozenset(), _added),
    "append_system": (frozenset({"text"}), frozenset(), _added),
    "replace_text": (frozenset({"role", "find", "text"}), frozenset(), _replaced),
    "add_messages": (frozenset({"messages"}), frozenset(), _messages),
    "set": (frozenset({"parameter", "value"}), frozenset(), _parameter),
    "clamp": (frozenset({"parameter"}), frozenset({"min", "max"}), _parameter),
    "response_format": (frozenset({"format"}), frozenset(), _format),
    "drop_tools": (frozenset({"names"}), frozenset(), _names),
}
"""Per operation: what it needs, what it may have, and how it is spelled."""
