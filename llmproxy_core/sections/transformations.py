"""`[[transformations]]`: which requests are changed, and how."""

from typing import Annotated

from pydantic import AfterValidator, Field

from llmproxy_core import expressions
from llmproxy_core.errors import ExpressionError
from llmproxy_core.expressions.triggers import SAME, VARIABLES
from llmproxy_core.sections.distinct import distinct
from llmproxy_core.sections.namespaces import NAME
from llmproxy_core.sections.operations import Logic
from llmproxy_core.sections.values import Section


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("letters, digits, `.`, `_` and `-`, 63 at most, a letter or digit first")
    return value


def _expression(value: str) -> str:
    try:
        expressions.compile(value, VARIABLES, SAME)
    except ExpressionError as exc:
        raise ValueError(f"an expression, see docs/transformations.md: {exc}") from None
    return value


class TransformationConfig(Section):
    """A change to requests. Those that apply are made in the `order` of their numbers, by name where
    these are equal. `when`: which requests; all if left out. `logic`: operations, one after the
    other; all are done or none. `active`: it is done; else it waits."""

    name: Annotated[str, AfterValidator(_name)]
    when: Annotated[str, AfterValidator(_expression)] = "true"
    logic: Logic
    order: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    active: bool = True


type Transformations = Annotated[
    list[TransformationConfig], AfterValidator(distinct("transformations"))
]
