"""Calls that wait for a person, as the proxy tells of them: into rows, for whoever decides."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from llmproxy_core.policies import Policies
from llmproxy_core.records import Closed, Decision, Judgement, Opened
from llmproxy_core.store.guard_rows import ApprovalRow
from llmproxy_core.worker.moments import moment

type State = Literal["waiting", "approved", "denied", "expired"]
type Seconds = Callable[[str], float]
"""How long calls wait because of a policy, by its name."""

ENDED: dict[str, State] = {
    "approved": "approved",
    "denied": "denied",
    "expired": "expired",
    "gone": "expired",
}
PATIENCE = 300.0
"""Seconds that a call waits because of a policy that is not known here yet."""


def seconds(policies: Policies, name: str) -> float:
    """How long a call waits for a person because of a policy."""
    found = (one for one in policies.all if one.name == name)
    return next((one.settings.timeout_seconds for one in found), PATIENCE)


def asked(opened: Opened, ns_id: int, seconds: Seconds) -> Iterator[ApprovalRow]:
    """A request that waits before it is sent."""
    for one in _holding(opened.judged, "waiting"):
        yield _waiting(opened, ns_id, one, seconds)


def answered(
    opened: Opened, closed: Closed, ns_id: int, seconds: Seconds, tools: Sequence[str]
) -> Iterator[ApprovalRow]:
    """How it ended with the request, and calls of tools in the answer that wait. `tools`: the names
    of those that are called."""
    held = {one.policy for one in _holding(opened.judged, "waiting")}
    for one in _holding(closed.judged, *ENDED):
        if one.policy in held:
            row = _waiting(opened, ns_id, one, lambda _: 0.0)
            row.state = ENDED[one.outcome]
            yield row
    for one in _holding(closed.judged, "waiting"):
        row = _waiting(closed, ns_id, one, seconds)
        row.tool = _tool(closed.judged, one, tools)
        yield row


def _holding(judgement: Judgement | None, *outcomes: str) -> list[Decision]:
    return [
        one
        for one in (judgement.decisions if judgement else ())
        if one.action == "hold" and one.mode == "active" and one.outcome in outcomes
    ]


def _waiting(record: Opened | Closed, ns_id: int, one: Decision, seconds: Seconds) -> ApprovalRow:
    since = moment(record.at)
    return ApprovalRow(
        ns_id=ns_id,
        request_id=UUID(bytes=record.id),
        policy=one.policy,
        asked_at=since,
        expires_at=since + timedelta(seconds=seconds(one.policy)),
        said=one.why,
    )


def _tool(judgement: Judgement | None, decision: Decision, tools: Sequence[str]) -> str:
    """By what was found in it; else it is one of those that are called."""
    found = judgement.found if judgement else []
    named = [found[n].tool for n in decision.findings if 0 <= n < len(found) and found[n].tool]
    return named[0] if named else ", ".join(dict.fromkeys(tools)) or "a tool"
