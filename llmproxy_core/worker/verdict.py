"""A case that has been judged: the rows of what was found, and of what the policies say of it.

Whatever they would do, the call is over: of what is done to answers only `flag` and `allow` can be
done now, and `redact_store` has been done before (see `redacting`). What else a policy would have
done, had the proxy had the time to judge all of the request, is told as `missed`.
"""

from collections.abc import Sequence
from uuid import UUID

from llmproxy_core.policies import Hit, Phase
from llmproxy_core.policies.ruling import OUTCOMES, reason
from llmproxy_core.records import Decision
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.sections.policies import Action
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.guard_rows import AnomalyRow, Side
from llmproxy_core.worker.cases import Case, Evidence
from llmproxy_core.worker.evidence import anomaly_rows, decision_rows

type Asked = tuple[Hit, Side, list[Evidence]]
"""A policy that applies, and the findings because of which."""

PHASES: tuple[tuple[Side, Phase], ...] = (("request", "request"), ("response", "answer"))
DONE: dict[Side, frozenset[Action]] = {
    "request": frozenset({"flag", "allow"}),
    "response": frozenset({"flag", "allow", "redact_store"}),
}
MISSED = "missed"


def verdict(case: Case, rulebook: Rulebook, into: Batch) -> list[Asked]:
    """Raises nothing. The policies that apply, for whoever is to be asked more about it."""
    learned = rulebook.learned
    told = [
        one
        for one in case.evidence
        if learned.tells(case.namespace, one.found.detector, one.found.score, one.found.text_hash)
    ]
    asked: list[Asked] = []
    for side, phase in PHASES:
        there = [one for one in told if one.side == side]
        new = [one for one in there if one.new]
        rows = anomaly_rows((one.found for one in new), case.ns_id, case.flow, side, case.at)
        into.anomalies += rows
        if case.facts is not None and (there or side == "response"):
            hits = _hits(case, rulebook, side, phase, there)
            decisions = [_decision(case, side, hit, new) for hit, _, _ in hits]
            into.decisions += decision_rows(
                decisions, case.ns_id, case.flow, side, case.at, _ids(rows)
            )
            asked += hits
    return asked


def _hits(
    case: Case, rulebook: Rulebook, side: Side, phase: Phase, there: list[Evidence]
) -> list[Asked]:
    found = [one.located for one in there]
    hits = rulebook.policies.hits(phase, case.facts or {}, found)
    return [
        (hit, side, [one for one in there if one.located in hit.findings])
        for hit in hits
        if (side, hit.policy.name) not in case.decided
        and (side == "response" or hit.policy.asks_findings)
        and not (case.imported and hit.policy.action not in DONE[side])
    ]


def _decision(case: Case, side: Side, hit: Hit, new: Sequence[Evidence]) -> Decision:
    policy = hit.policy
    done = policy.action in DONE[side] or not policy.enforced
    numbers = tuple(n for n, one in enumerate(new) if one.located in hit.findings)
    outcome = OUTCOMES[policy.action] if done else MISSED
    why = reason(hit, case.model)
    return Decision(policy.name, policy.mode, policy.action, outcome, why, numbers)


def _ids(rows: Sequence[AnomalyRow]) -> list[UUID]:
    return [row.id for row in rows]
