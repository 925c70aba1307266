"""What policies decide about a call, in order, and what is to be done for it. Pure: does nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.policies.engine import Hit
from llmproxy_core.policies.policy import Policy
from llmproxy_core.providers.refusal import Kind as RefusalKind
from llmproxy_core.records import Decision

OUTCOMES = {
    "allow": "allowed",
    "flag": "flagged",
    "redact_store": "redacted",
    "redact_wire": "redacted",
    "block": "blocked",
    "hold": "waiting",
    "throttle": "throttled",
    "deny_tools": "denied",
    "allow_models": "blocked",
}
"""What became of it, by action. In shadow: what would have."""
REFUSING = frozenset({"block", "allow_models", "throttle"})

type Throttle = Callable[[Policy], float]
"""Counts a call; seconds after which one passes again, 0: this one does."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`said`: what the program is told. `retry_after` in seconds, if it may try again."""

    policy: Policy
    kind: RefusalKind
    said: str
    retry_after: float | None = None


@dataclass(slots=True)
class Ruling:
    """`store`: not to be written. `wire`: not to be sent. `denying`: whose tools are taken out.
    `holding`: it waits for a person, and what is said to them."""

    decisions: list[Decision] = field(default_factory=list)
    refused: Refused | None = None
    store: list[Located] = field(default_factory=list)
    wire: list[tuple[Policy, tuple[Located, ...]]] = field(default_factory=list)
    denying: list[Policy] = field(default_factory=list)
    holding: tuple[Policy, str] | None = None


def ruling(
    hits: Sequence[Hit],
    judged: Judged,
    model: str,
    throttle: Throttle = lambda _: 0.0,
    first: int = 0,
) -> Ruling:
    """`model`: the one that is asked for, "" if nobody knows. `first`: the number of the first new
    finding, in what is written. After a refusal nothing more is done, but all policies tell what
    they say."""
    made = Ruling()
    numbers = {id(one): at for at, one in enumerate((x for x in judged.found if x.new), first)}
    for hit in hits:
        policy = hit.policy
        if policy.action == "allow_models" and model and policy.models(model):
            continue
        does = policy.enforced and made.refused is None
        wait = 0.0
        if policy.action == "throttle":
            wait = throttle(policy) if does else 0.0
            if does and not wait:
                continue
        why = reason(hit, model)
        outcome = OUTCOMES[policy.action]
        there = tuple(numbers[id(one)] for one in hit.findings if id(one) in numbers)
        if policy.enforced and not does:
            outcome = "not reached"
        made.decisions.append(
            Decision(policy.name, policy.mode, policy.action, outcome, why, there)
        )
        if does:
            _do(made, hit, why, wait)
    return made


def unjudged(
    policies: Sequence[Policy], judged: Judged | None, facts: Mapping[str, Any] | None = None
) -> Refused | None:
    """The refusal of the first policy that stops what could not be judged, if there is any. `facts`:
    of the call, by which a policy may not apply whatever is in it; None: not known."""
    if judged is not None and judged.whole:
        return None
    for policy in policies:
        if not (policy.closed and policy.enforced and policy.asks_findings):
            continue
        if not facts or policy.may_apply(facts):
            return unavailable(policy)
    return None


def unavailable(policy: Policy) -> Refused:
    return Refused(policy, "unavailable", f"{_by(policy)} this call could not be judged.")


def reason(hit: Hit, model: str = "") -> str:
    """Why a policy applies, for people, and without what it has found."""
    policy = hit.policy
    if policy.action == "allow_models":
        return f"the model {model} is not among those that are allowed" if model else "no model"
    said = list(dict.fromkeys(one.finding.said.rstrip(".") for one in hit.findings))
    return "; ".join(said[:3]) + (f"; {len(said) - 3} more" if len(said) > 3 else "")


def told(policy: Policy, why: str) -> str:
    """What the program is told of a refusal."""
    return policy.settings.message or f"{_by(policy)} {why or 'this call is not allowed'}."


def _do(made: Ruling, hit: Hit, why: str, wait: float) -> None:
    policy = hit.policy
    if policy.action in REFUSING:
        kind: RefusalKind = "rate_limited" if policy.action == "throttle" else "forbidden"
        made.refused = Refused(policy, kind, told(policy, why), wait or None)
    elif policy.action == "redact_store":
        made.store += hit.findings
    elif policy.action == "redact_wire":
        made.wire.append((policy, hit.findings))
    elif policy.action == "deny_tools":
        made.denying.append(policy)
    elif policy.action == "hold" and made.holding is None:
        made.holding = policy, why


def _by(policy: Policy) -> str:
    return f"llmproxy, policy {policy.name}:"
