"""What of a batch is told to webhooks: it is stored with the batch, and told afterwards."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from llmproxy_core.config import WebhookConfig
from llmproxy_core.model import Json
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.guard_rows import AnomalyRow, ApprovalRow, DecisionRow, DeliveryRow
from llmproxy_core.webhooks.notice import TYPES, Notice, body, wants
from llmproxy_core.worker.identity import dated
from llmproxy_core.worker.moments import nanoseconds

MOST = 50
"""Told of a batch to each webhook; of more only how many."""

type Told = tuple[int, UUID, Notice, UUID | None]
"""Namespace, an id to make others of, what is told, and the anomaly that must be new for it."""


class Notices:
    """`name`: of a namespace, by its number."""

    def __init__(
        self, webhooks: Sequence[WebhookConfig], home: str, name: Callable[[int], str]
    ) -> None:
        self._webhooks = webhooks
        self._home = home
        self._name = name

    def note(self, batch: Batch) -> None:
        """Add to a batch what is to be told of it; once. Raises DatabaseUnavailable."""
        if not self._webhooks or not (batch.anomalies or batch.decisions or batch.approvals):
            return
        told = list(self._told(batch))
        batch.deliveries = [row for webhook in self._webhooks for row in self._for(webhook, told)]

    def _told(self, batch: Batch) -> Iterator[Told]:
        for anomaly in batch.anomalies:
            notice = _of_anomaly(anomaly, self._name(anomaly.ns_id))
            yield anomaly.ns_id, anomaly.id, notice, anomaly.id
        for decision in batch.decisions:
            if decision.mode == "active":
                notice = _of_decision(decision, self._name(decision.ns_id))
                yield decision.ns_id, decision.id, notice, None
        for approval in batch.approvals:
            if approval.state == "waiting":
                notice = _of_approval(approval, self._name(approval.ns_id))
                yield approval.ns_id, approval.request_id, notice, None

    def _for(self, webhook: WebhookConfig, told: list[Told]) -> Iterator[DeliveryRow]:
        wanted = [one for one in told if wants(webhook, one[2])]
        for ns_id, id, notice, of in wanted[:MOST]:
            yield self._row(webhook, ns_id, id, notice, of)
        if left := wanted[MOST:]:
            ns_id, id, last, _ = left[-1]
            said = f"{len(left)} more at the same time: see `llmproxy anomalies list`"
            notice = Notice(last.event, last.namespace, last.at, said, data={"more": len(left)})
            yield self._row(webhook, ns_id, id, notice, None)

    def _row(
        self, webhook: WebhookConfig, ns_id: int, id: UUID, notice: Notice, of: UUID | None
    ) -> DeliveryRow:
        return DeliveryRow(
            ns_id,
            dated(nanoseconds(notice.at), webhook.name, id.hex, notice.event),
            self._home,
            webhook.name,
            TYPES[notice.event],
            body(webhook, notice),
            datetime.now(UTC),
            of,
        )


def _of_anomaly(row: AnomalyRow, namespace: str) -> Notice:
    data: dict[str, Json] = {
        "id": str(row.id),
        "request_id": str(row.request_id),
        "side": row.side,
        "detector": row.detector,
        "family": row.family,
        "score": round(row.score, 4),
        "author": row.author,
        "kind": row.kind,
        "tool": row.tool,
        "excerpt": row.excerpt,
    }
    return Notice("anomaly", namespace, row.at, row.said, row.severity, data)


def _of_decision(row: DecisionRow, namespace: str) -> Notice:
    said = f"policy {row.policy}: {row.outcome}" + (f" ({row.why})" if row.why else "")
    data: dict[str, Json] = {
        "request_id": str(row.request_id),
        "policy": row.policy,
        "action": row.action,
        "outcome": row.outcome,
        "why": row.why,
    }
    return Notice("decision", namespace, row.at, said, data=data)


def _of_approval(row: ApprovalRow, namespace: str) -> Notice:
    what = f"a call of the tool {row.tool}" if row.tool else "a call"
    said = f"{what} waits for approval, policy {row.policy}: {row.said}"
    data: dict[str, Json] = {
        "request_id": str(row.request_id),
        "policy": row.policy,
        "tool": row.tool,
        "expires_at": row.expires_at.isoformat(),
    }
    return Notice("approval", namespace, row.asked_at, said, data=data)
