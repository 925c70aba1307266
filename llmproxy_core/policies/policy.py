"""A policy in force: what it applies to, and where in the life of a call it is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, Protocol

from llmproxy_core import expressions
from llmproxy_core.expressions import Expression
from llmproxy_core.expressions.pinned import pinned
from llmproxy_core.expressions.variables import AUTHOR, FAMILY, KIND, SEVERITY
from llmproxy_core.globs import any_of
from llmproxy_core.sections.policies import Action, Mode

type Phase = Literal["request", "tool_call", "answer"]
"""`request`: before it is sent. `tool_call`: of an answer, before the client gets it. `answer`: when
the call is over, in the worker."""

ALL = frozenset(FAMILY.words)
GUESSED: Mapping[str, Sequence[Any]] = {
    "finding.family": FAMILY.words,
    "finding.severity": SEVERITY.words,
    "finding.author": AUTHOR.words,
    "finding.kind": KIND.words,
    "finding.score": [number / 20 for number in range(21)],
}
"""What a finding may be like that is not known."""
OF_REQUESTS: frozenset[Action] = frozenset(
    {"allow_models", "deny_tools", "redact_wire", "throttle"}
)
"""What can be done to requests only."""
OF_ANSWERS = ("response.",)
OF_CALLS = ("tool",)


class PolicySettings(Protocol):
    """A policy as it is written down: a table `[[policies]]`, or a row of `security_policies`."""

    @property
    def name(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def action(self) -> Action: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def priority(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def on_fault(self) -> Literal["open", "closed"]: ...
    @property
    def tools(self) -> Sequence[str]: ...
    @property
    def models(self) -> Sequence[str]: ...
    @property
    def per_minute(self) -> int | None: ...
    @property
    def timeout_seconds(self) -> float: ...
    @property
    def on_timeout(self) -> Literal["allow", "deny"]: ...
    @property
    def max_false_positive_rate(self) -> float | None: ...
    @property
    def advisor(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """`enforced`: what it decides is done; else it is only told what would have been done.
    `asks_findings`: it is asked about each finding, else once about a call."""

    settings: PolicySettings
    expression: Expression
    enforced: bool
    asks_findings: bool
    phases: frozenset[Phase]
    families: frozenset[str]
    """Of findings, those that it is about."""
    tools: Callable[[str], bool]
    models: Callable[[str], bool]

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def action(self) -> Action:
        return self.settings.action

    @property
    def closed(self) -> bool:
        """Does it stop what could not be judged?"""
        return self.settings.on_fault == "closed"

    def may_apply(self, facts: Mapping[str, Any]) -> bool:
        """Could it apply to a call with these facts, because of what nobody has looked for?"""
        asked = self.expression.variables
        if any(name.startswith("finding") and name not in GUESSED for name in asked):
            return True
        varied = [name for name in GUESSED if name in asked]
        guesses = product(*(GUESSED[name] for name in varied))
        return any(
            self.expression.holds({**facts, **dict(zip(varied, guess, strict=True))})
            for guess in guesses
        )

    @property
    def mode(self) -> Mode:
        return "active" if self.enforced else "shadow"


def policy(settings: PolicySettings, *, proven: bool = True) -> Policy:
    """`proven`: the bound of its false positives is known to be below what it allows.

    Raises:
        ExpressionError: `when` is none.
    """
    expression = expressions.compile(settings.when)
    waits = settings.max_false_positive_rate is not None and not proven
    return Policy(
        settings,
        expression,
        enforced=settings.mode == "active" and not waits,
        asks_findings=any(name.startswith("finding.") for name in expression.variables),
        phases=phases(settings.action, expression.variables),
        families=families(settings.when, expression.variables),
        tools=any_of(settings.tools),
        models=any_of(settings.models),
    )


def families(when: str, asked: frozenset[str]) -> frozenset[str]:
    """The families of findings that an expression may be about."""
    if not any(name.startswith("finding") for name in asked):
        return frozenset()
    if any(name.startswith("findings.") for name in asked):
        return ALL
    found = pinned(when, "finding.family")
    return ALL if found is None else found


def phases(action: Action, asked: frozenset[str]) -> frozenset[Phase]:
    """When a policy is asked: by what it looks at, and what it would do."""
    if any(name.startswith("response.") for name in asked):
        return frozenset({"answer"})
    if action in OF_REQUESTS:
        return frozenset({"request"})
    if "tool" in asked:
        return frozenset({"tool_call"})
    if any(name.startswith("finding") for name in asked):
        found: set[Phase] = {"request", "tool_call"}
        return frozenset(
            found | {"answer"} if action in ("flag", "allow", "redact_store") else found
        )
    return frozenset({"request"})
