"""What policies decide about a call whose body is too large to be waited for.

What its head tells is decided as ever. Where a policy asks what only the body tells, or would change
it, or have it wait, it says itself what becomes of the call (`on_fault`).
"""

from collections.abc import Mapping
from typing import Any

from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.policies.engine import Hit, Policies
from llmproxy_core.policies.facts import READ
from llmproxy_core.policies.policy import Policy
from llmproxy_core.policies.ruling import Ruling, Throttle, ruling, unavailable
from llmproxy_core.records import Decision

IN_BODIES = READ | {"model", "session.id"}
"""What a body tells, unless the head does."""
UNDONE = frozenset({"deny_tools", "hold"})
"""What takes a body that is there."""
WHY = "its body is too large to be waited for"


def unseen(policies: Policies, facts: Mapping[str, Any], throttle: Throttle) -> Ruling:
    """`facts`: of the head. Of what is decided only the refusal is to be done."""
    made = Ruling()
    model = str(facts.get("model") or "")
    for one in policies.of("request"):
        if _needs_body(one, facts):
            applies = _may_apply(one, facts)
            made.refused = unavailable(one) if applies and one.closed and one.enforced else None
        elif not one.expression.holds(facts):
            continue
        elif one.action in UNDONE or (one.action == "allow_models" and not model):
            made.decisions.append(_undone(one))
            made.refused = unavailable(one) if one.closed and one.enforced else None
        else:
            by_head = ruling([Hit(one)], Judged(), model, throttle)
            made.decisions += by_head.decisions
            made.refused = by_head.refused
            if one.action == "allow" and one.enforced:
                break
        if made.refused is not None:
            break
    return made


def _needs_body(policy: Policy, facts: Mapping[str, Any]) -> bool:
    asked = policy.expression.variables
    return any(
        name.startswith("finding") or (name in IN_BODIES and facts.get(name) is None)
        for name in asked
    )


def _may_apply(policy: Policy, facts: Mapping[str, Any]) -> bool:
    """Findings are guessed; what else the body tells may be anything."""
    asked = policy.expression.variables
    unknown = any(name in IN_BODIES and facts.get(name) is None for name in asked)
    return unknown or policy.may_apply(facts)


def _undone(policy: Policy) -> Decision:
    stops = policy.closed and policy.enforced
    outcome = "refused unjudged" if stops else "not done"
    return Decision(policy.name, policy.mode, policy.action, outcome, WHY)
