"""`[[policies]]`: what a call may not have in it, and what becomes of one that has."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from llmproxy_core import expressions
from llmproxy_core.errors import ExpressionError
from llmproxy_core.sections.distinct import distinct
from llmproxy_core.sections.namespaces import NAME, Glob
from llmproxy_core.sections.values import CONTROL, Section

type Action = Literal[
    "allow",
    "flag",
    "redact_store",
    "redact_wire",
    "block",
    "hold",
    "throttle",
    "deny_tools",
    "allow_models",
]
type Mode = Literal["active", "shadow", "off"]

NEEDS: dict[Action, str] = {
    "throttle": "per_minute",
    "deny_tools": "tools",
    "allow_models": "models",
}
"""Actions that say nothing without another key."""
OF_FINDINGS: frozenset[Action] = frozenset({"redact_store", "redact_wire"})
AFTER: frozenset[Action] = frozenset({"flag", "allow"})
"""What can be done when the answer is over."""


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("letters, digits, `.`, `_` and `-`, 63 at most, a letter or digit first")
    return value


def _expression(value: str) -> str:
    try:
        expressions.compile(value)
    except ExpressionError as exc:
        raise ValueError(f"an expression, see docs/expressions.md: {exc}") from None
    return value


def _line(value: str) -> str:
    if len(value) > 500 or CONTROL.search(value):
        raise ValueError("a line of text, 500 characters at most")
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


type Names = Annotated[list[Glob], BeforeValidator(_listed)]


class PolicyConfig(Section):
    """A rule about calls. Of those that apply, the one with the highest `priority` comes first.

    `when`: the expression that says what it applies to. `message`: what the program is told.
    `on_fault`: whether a call passes that could not be judged. `max_false_positive_rate`: the
    policy stays in shadow until the upper bound of its false positives is below it.
    """

    name: Annotated[str, AfterValidator(_name)]
    when: Annotated[str, AfterValidator(_expression)]
    action: Action = "flag"
    mode: Mode = "active"
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    message: Annotated[str, AfterValidator(_line)] = ""
    on_fault: Literal["open", "closed"] = "open"
    tools: Names = Field(default=[])
    models: Names = Field(default=[])
    per_minute: int | None = Field(default=None, ge=1, le=10**6)
    timeout_seconds: float = Field(default=300.0, gt=0, le=86_400)
    on_timeout: Literal["allow", "deny"] = "deny"
    max_false_positive_rate: float | None = Field(default=None, gt=0, le=1)
    advisor: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        needed = NEEDS.get(self.action)
        if needed and not getattr(self, needed):
            raise ValueError(f'`{needed}` beside action = "{self.action}"')
        for action, key in NEEDS.items():
            if getattr(self, key) and self.action != action:
                raise ValueError(f'action = "{action}" beside `{key}`')
        asked = expressions.compile(self.when).variables
        if self.action in OF_FINDINGS and not any(one.startswith("finding.") for one in asked):
            raise ValueError(f'`finding.…` in `when`, as "{self.action}" is about findings')
        if any(one.startswith("response.") for one in asked) and self.action not in AFTER:
            raise ValueError(
                f'action = "flag" or "allow", as `response.…` is known when it is too late for '
                f'"{self.action}"'
            )
        return self


type Policies = Annotated[list[PolicyConfig], AfterValidator(distinct("policies"))]
