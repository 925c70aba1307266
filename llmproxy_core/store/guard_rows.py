"""What the worker writes of the guard, and what the store tells of it, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from llmproxy_core.anomaly.finding import Author, Family, Kind, Severity
from llmproxy_core.sections.policies import Action, Mode

type Side = Literal["request", "response"]
type Status = Literal["detected", "acknowledged", "resolved", "false_positive"]
"""`detected` -> `acknowledged` -> `resolved` or `false_positive`; people may go any way."""
type ApprovalState = Literal["waiting", "approved", "denied", "expired"]
"""expired: nobody said anything in time, or the program did not wait."""

STATUSES: tuple[Status, ...] = ("detected", "acknowledged", "resolved", "false_positive")
OPEN: tuple[Status, ...] = ("detected", "acknowledged")
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


@dataclass(slots=True)
class AnomalyRow:
    """A finding as the worker writes it; the same one again (`ns_id`, `detector`, `text_hash`, the
    span and the excerpt) is counted, not stored. `id`: a uuidv7 of the time of the call. See
    `anomaly.finding` and `records.Found`."""

    ns_id: int
    id: UUID
    request_id: UUID
    """The call in which it was found."""
    side: Side
    at: datetime
    detector: str
    family: str
    score: float
    severity: str
    author: str
    kind: str
    tool: str
    said: str
    excerpt: str
    """Without secrets; the evidence is its characters `mark_start:mark_end`."""
    mark_start: int
    mark_end: int
    text_hash: bytes


@dataclass(slots=True)
class DecisionRow:
    """What a policy decided about a call, see `records.Decision`. The same one has the same id,
    however often it is read."""

    ns_id: int
    id: UUID
    policy: str
    request_id: UUID
    at: datetime
    mode: str
    action: str
    outcome: str
    why: str
    side: Side = "request"
    findings: list[UUID] = field(default_factory=list)
    """Ids of anomalies, those of the same batch or of stored ones."""


@dataclass(slots=True)
class ApprovalRow:
    """A call that waits for a person, or what became of it: a later state comes in place of
    `waiting`, and of a decision nothing."""

    ns_id: int
    request_id: UUID
    policy: str
    asked_at: datetime
    expires_at: datetime
    said: str
    state: ApprovalState = "waiting"
    tool: str = ""
    """Whose call was held; empty: the request waits."""


@dataclass(slots=True)
class UnjudgedRow:
    """A call with texts that the worker of `home` is still to judge; `request`: also its request."""

    ns_id: int
    id: UUID
    home: str
    request: bool


@dataclass(slots=True)
class DeliveryRow:
    """What is to be told to a webhook. `anomaly`: the one that it tells of: nothing is told if that
    was stored before, and is only counted."""

    ns_id: int
    id: UUID
    home: str
    webhook: str
    event: str
    body: str
    at: datetime
    anomaly: UUID | None = None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """As stored. `request_id` is the first call it was found in, `last_request_id` the last."""

    ns_id: int
    namespace: str
    id: UUID
    request_id: UUID
    side: Side
    at: datetime
    detector: str
    family: Family
    score: float
    severity: Severity
    author: Author
    kind: Kind
    tool: str
    said: str
    excerpt: str
    mark_start: int
    mark_end: int
    text_hash: UUID
    times: int
    last_at: datetime
    last_request_id: UUID
    status: Status
    status_by: str | None
    status_why: str | None
    status_at: datetime | None

    @property
    def evidence(self) -> str:
        return self.excerpt[self.mark_start : self.mark_end]


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """As stored. `findings`: ids of anomalies."""

    ns_id: int
    namespace: str
    request_id: UUID
    id: UUID
    at: datetime
    policy: str
    mode: Mode
    action: Action
    outcome: str
    why: str
    findings: list[UUID]


@dataclass(frozen=True, slots=True)
class Approval:
    """As stored. `tool`: empty where the request waits, else whose call in its answer was held."""

    ns_id: int
    namespace: str
    request_id: UUID
    policy: str
    asked_at: datetime
    expires_at: datetime
    said: str
    tool: str
    state: ApprovalState
    decided_by: str | None
    why: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecurityPolicy:
    """As stored. `settings`: what of a table `[[policies]]` has no column of its own. `origin`:
    `mitm.toml` (then `home` has that file) or `database`. `since`: when its expression became this
    one."""

    name: str
    expression: str
    action: Action
    mode: Mode
    priority: int
    settings: dict[str, Any]
    origin: str
    home: str | None
    since: datetime
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    def table(self) -> dict[str, Any]:
        """As a table `[[policies]]`."""
        return {
            "name": self.name,
            "when": self.expression,
            "action": self.action,
            "mode": self.mode,
            "priority": self.priority,
            **self.settings,
        }
