"""The tables of the guard: anomalies, policies, approvals, webhooks, the audit."""

from uuid import UUID

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from llmproxy_core.store.table import Body, Count, Hash, Ids, Json, NamespaceId, Score, Table, Time


class AnomalyTable(Table):
    """What detectors found: in the call `request_id`, and again in others, `times` in all. People
    change its status. `evidence`: made of the excerpt; tells several findings in a text apart."""

    __tablename__ = "anomalies"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    request_id: Mapped[UUID]
    side: Mapped[str]
    at: Mapped[Time]
    detector: Mapped[str]
    family: Mapped[str]
    score: Mapped[Score]
    severity: Mapped[str]
    author: Mapped[str]
    kind: Mapped[str]
    tool: Mapped[str]
    said: Mapped[str]
    excerpt: Mapped[str]
    mark_start: Mapped[int]
    mark_end: Mapped[int]
    text_hash: Mapped[Hash]
    evidence: Mapped[Hash]
    times: Mapped[int]
    last_at: Mapped[Time]
    last_request_id: Mapped[UUID]
    status: Mapped[str]
    status_by: Mapped[str | None]
    status_why: Mapped[str | None]
    status_at: Mapped[Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        UniqueConstraint("ns_id", "text_hash", "detector", "evidence"),
        Index(None, "ns_id", "status", "severity", "id"),
        Index(None, "ns_id", "status", "family", "severity", "id"),
        Index(None, "ns_id", "request_id"),
        Index(None, "ns_id", "last_request_id"),
        Index(None, "ns_id", "status_at", postgresql_where=sql("status_at IS NOT NULL")),
    )


class PolicyTable(Table):
    """Of no namespace: a policy is for all calls that its expression holds for. `since`: when that
    became what it is."""

    __tablename__ = "security_policies"
    name: Mapped[str] = mapped_column(primary_key=True)
    expression: Mapped[str]
    action: Mapped[str]
    mode: Mapped[str]
    priority: Mapped[int]
    settings: Mapped[Json]
    origin: Mapped[str]
    home: Mapped[str | None]
    since: Mapped[Time] = mapped_column(server_default=sql("now()"))
    created_at: Mapped[Time] = mapped_column(server_default=sql("now()"))
    created_by: Mapped[str]
    updated_at: Mapped[Time] = mapped_column(server_default=sql("now()"))
    updated_by: Mapped[str]


class DecisionTable(Table):
    """What policies decided about a call. `findings`: the anomalies because of which."""

    __tablename__ = "policy_decisions"
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    id: Mapped[UUID]
    at: Mapped[Time]
    policy: Mapped[str]
    mode: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    why: Mapped[str]
    findings: Mapped[Ids]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "id"),
        Index(None, "ns_id", "policy", "request_id"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class ApprovalTable(Table):
    """Calls that wait for a person, or waited; and calls of tools in their answers (`tool`)."""

    __tablename__ = "approvals"
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    policy: Mapped[str]
    asked_at: Mapped[Time]
    expires_at: Mapped[Time]
    said: Mapped[str]
    tool: Mapped[str]
    state: Mapped[str]
    decided_by: Mapped[str | None]
    why: Mapped[str | None]
    decided_at: Mapped[Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "tool"),
        Index(None, "ns_id", "state", "request_id"),
    )


class UnjudgedTable(Table):
    """Calls with texts that the worker of a home is still to judge."""

    __tablename__ = "unjudged"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    home: Mapped[str]
    request: Mapped[bool]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"),)


class DeliveryTable(Table):
    """What is to be told to a webhook, or was. `answer`: what it said last, or why it did not."""

    __tablename__ = "webhook_deliveries"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    home: Mapped[str]
    webhook: Mapped[str]
    event: Mapped[str]
    body: Mapped[str]
    at: Mapped[Time]
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[Time]
    answer: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "state", "next_at"),
    )


class AuditTable(Table):
    """Triggers refuse UPDATE, DELETE and TRUNCATE. Not a hot table: a handful of rows a day."""

    __tablename__ = "audit_events"
    ns_id: Mapped[NamespaceId]
    seq: Mapped[Count]
    at: Mapped[Time]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[str]
    prev_hash: Mapped[Body]
    hash: Mapped[Body]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "seq"),)


class AuditHeadTable(Table):
    """The last event of each chain, so that a removed tail is noticed."""

    __tablename__ = "audit_heads"
    ns_id: Mapped[NamespaceId] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[Count]
    hash: Mapped[Body]
