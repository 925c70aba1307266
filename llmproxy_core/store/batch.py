"""What the worker writes at once."""

from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.store.call_rows import (
    Contribution,
    EventRow,
    OffsetRow,
    RequestRow,
    ResponseRow,
    SearchRow,
    SessionDelta,
    StreamDelta,
    ToolCallRow,
)
from llmproxy_core.store.guard_rows import (
    AnomalyRow,
    ApprovalRow,
    DecisionRow,
    DeliveryRow,
    UnjudgedRow,
)
from llmproxy_core.store.learning_rows import Lessons


@dataclass(slots=True)
class Batch:
    """What one transaction of the worker writes, offsets included: all of it or nothing."""

    requests: list[RequestRow] = field(default_factory=list)
    responses: list[ResponseRow] = field(default_factory=list)
    tool_calls: list[ToolCallRow] = field(default_factory=list)
    sessions: list[SessionDelta] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    deltas: list[StreamDelta] = field(default_factory=list)
    search: list[SearchRow] = field(default_factory=list)
    rollups: list[Contribution] = field(default_factory=list)
    anomalies: list[AnomalyRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    approvals: list[ApprovalRow] = field(default_factory=list)
    unjudged: list[UnjudgedRow] = field(default_factory=list)
    judged: list[tuple[int, UUID]] = field(default_factory=list)
    """Of what was `unjudged` before."""
    deliveries: list[DeliveryRow] = field(default_factory=list)
    lessons: Lessons = field(default_factory=Lessons)
    offsets: list[OffsetRow] = field(default_factory=list)
    finished_writers: list[str] = field(default_factory=list)
    """Journals that are stored whole and will be removed: their offset rows go, too."""
