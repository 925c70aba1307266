"""Questions to the advisor about calls that a policy applies to, and what is stored of its answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from llmproxy_core.advisor.judge import Judgement
from llmproxy_core.anomaly.finding import Author, Kind, Severity, Text
from llmproxy_core.anomaly.learning import Learned
from llmproxy_core.model import Response
from llmproxy_core.policies import Policies, Policy
from llmproxy_core.records import Closed, Found
from llmproxy_core.records import Judgement as Judged
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.guard_rows import AnomalyRow, DecisionRow, Side
from llmproxy_core.worker.cases import Case, hash_of, texts
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.identity import dated
from llmproxy_core.worker.moments import moment
from llmproxy_core.worker.verdict import Asked

NAME = "advisor"
MOST = 3
"""Texts of a call that are asked about because of one policy."""
SEVERITIES: dict[str, Severity] = {"malicious": "high", "suspicious": "medium"}
OUTCOMES = {"malicious": "confirmed", "suspicious": "confirmed", "benign": "cleared"}
AUTHORS: dict[str, Author] = {
    "system": "system", "user": "user", "assistant": "assistant", "tool": "tool",
}  # fmt: skip
KINDS: dict[str, Kind] = {
    "text": "text", "reasoning": "reasoning", "arguments": "arguments", "result": "result",
    "document": "document",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """About a text because of which a policy applies to a call. `found`: what was found in it."""

    ns_id: int
    namespace: str
    flow: bytes
    at: int
    side: Side
    policy: str
    mode: str
    action: str
    text: Text
    found: Found


@dataclass(frozen=True, slots=True)
class Opinion:
    """`judgement` None: there is no answer, and `said` tells why. Nothing secret in either."""

    question: Question
    judgement: Judgement | None
    said: str


def about(case: Case, hits: Sequence[Asked]) -> Iterator[Question]:
    """What was found here."""
    for hit, side, evidence in hits:
        if hit.policy.settings.advisor:
            several = {one.found.text_hash: one for one in evidence}
            for one in list(several.values())[:MOST]:
                text = one.located.text if one.located.text.text else _excerpt(one.found)
                yield _question(case, side, hit.policy, text, one.found)


def about_decided(
    case: Case, exchange: Exchange, record: Closed, answer: Response, policies: Policies
) -> Iterator[Question]:
    """What the proxy has found, and decided by policies that want more to be known."""
    asking = {one.name: one for one in policies.all if one.settings.advisor}
    told: tuple[tuple[Side, Judged | None], ...]
    told = (("request", exchange.opened.judged), ("response", record.judged))
    for side, judged in told:
        for decision in judged.decisions if judged else ():
            if (policy := asking.get(decision.policy)) is None or judged is None:
                continue
            found = [judged.found[n] for n in decision.findings if 0 <= n < len(judged.found)]
            several = {one.text_hash: one for one in found}
            for one in list(several.values())[:MOST]:
                text = _whole(exchange, answer, one) or _excerpt(one)
                yield _question(case, side, policy, text, one)


def record(opinion: Opinion, learned: Learned, into: Batch) -> None:
    """What came of it, and a finding where it is a bad one, and not called harmless by people."""
    asked, judgement = opinion.question, opinion.judgement
    ids: list[UUID] = []
    if judgement is not None and judgement.verdict != "benign":
        score, hash = judgement.confidence, asked.found.text_hash
        if learned.tells(asked.namespace, NAME, score, hash):
            row = _anomaly(asked, judgement, opinion.said)
            into.anomalies.append(row)
            ids.append(row.id)
    into.decisions.append(
        DecisionRow(
            ns_id=asked.ns_id,
            id=_id(asked, "decision"),
            policy=asked.policy,
            request_id=UUID(bytes=asked.flow),
            at=moment(asked.at),
            mode=asked.mode,
            action=asked.action,
            outcome=OUTCOMES[judgement.verdict] if judgement else "unanswered",
            why=f"{NAME}: {opinion.said}",
            side=asked.side,
            findings=ids,
        )
    )


def _question(case: Case, side: Side, policy: Policy, text: Text, found: Found) -> Question:
    return Question(
        case.ns_id,
        case.namespace,
        case.flow,
        case.at,
        side,
        policy.name,
        policy.mode,
        policy.action,
        text,
        found,
    )


def _whole(exchange: Exchange, answer: Response, found: Found) -> Text | None:
    """The text as it is stored; one that was masked is not known by its hash."""
    there = (text for _, text in texts(exchange.request, answer))
    return next((text for text in there if hash_of(text) == found.text_hash), None)


def _excerpt(found: Found) -> Text:
    author, kind = AUTHORS.get(found.author, "user"), KINDS.get(found.kind, "text")
    return Text(found.excerpt, author, kind, found.tool)


def _anomaly(asked: Question, judgement: Judgement, said: str) -> AnomalyRow:
    found = asked.found
    return AnomalyRow(
        ns_id=asked.ns_id,
        id=_id(asked, "anomaly"),
        request_id=UUID(bytes=asked.flow),
        side=asked.side,
        at=moment(asked.at),
        detector=NAME,
        family=found.family if judgement.family == "none" else judgement.family,
        score=judgement.confidence,
        severity=SEVERITIES[judgement.verdict],
        author=found.author,
        kind=found.kind,
        tool=found.tool,
        said=said,
        excerpt=found.excerpt,
        mark_start=found.start,
        mark_end=found.end,
        text_hash=found.text_hash,
    )


def _id(asked: Question, what: str) -> UUID:
    return dated(asked.at, asked.flow.hex(), NAME, what, asked.policy, asked.found.text_hash.hex())
