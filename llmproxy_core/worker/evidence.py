"""What was found in a call and what policies decided: from records into rows."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from llmproxy_core.records import Decision, Found, Judgement
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.guard_rows import AnomalyRow, DecisionRow, Side
from llmproxy_core.worker.identity import dated
from llmproxy_core.worker.moments import moment


def record(
    judgement: Judgement | None, ns_id: int, flow: bytes, side: Side, at: int, into: Batch
) -> None:
    """What the proxy has written of its judgement. `at`: ns since 1970."""
    if judgement is None:
        return
    rows = anomaly_rows(judgement.found, ns_id, flow, side, at)
    into.anomalies += rows
    ids = [row.id for row in rows]
    into.decisions += decision_rows(judgement.decisions, ns_id, flow, side, at, ids)


def anomaly_rows(
    found: Iterable[Found], ns_id: int, flow: bytes, side: Side, at: int
) -> list[AnomalyRow]:
    """In the same order. The same finding has the same id, however often it is read."""
    return [
        AnomalyRow(
            ns_id=ns_id,
            id=dated(at, flow.hex(), side, number, one.detector, one.text_hash.hex(), one.start),
            request_id=UUID(bytes=flow),
            side=side,
            at=moment(at),
            detector=one.detector,
            family=one.family,
            score=one.score,
            severity=one.severity,
            said=one.said,
            text_hash=one.text_hash,
            author=one.author,
            kind=one.kind,
            tool=one.tool,
            excerpt=one.excerpt,
            mark_start=one.start,
            mark_end=one.end,
        )
        for number, one in enumerate(found)
    ]


def decision_rows(
    decisions: Iterable[Decision],
    ns_id: int,
    flow: bytes,
    side: Side,
    at: int,
    anomalies: Sequence[UUID],
) -> list[DecisionRow]:
    """`anomalies`: ids of the rows of the findings that decisions name by their numbers."""
    return [
        DecisionRow(
            ns_id=ns_id,
            id=dated(at, flow.hex(), side, number, one.policy, one.outcome),
            request_id=UUID(bytes=flow),
            side=side,
            at=moment(at),
            policy=one.policy,
            mode=one.mode,
            action=one.action,
            outcome=one.outcome,
            why=one.why,
            findings=[anomalies[n] for n in one.findings if 0 <= n < len(anomalies)],
        )
        for number, one in enumerate(decisions)
    ]
