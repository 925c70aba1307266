"""The guard's part of the store, for the screens."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.errors import StoreError
from llmproxy_core.home import actor
from llmproxy_core.sections.policies import Mode
from llmproxy_core.store import (
    anomalies,
    anomaly_changes,
    approvals,
    decisions,
    flagged,
    labels,
    policy_changes,
    security_policies,
)
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import (
    Anomaly,
    Approval,
    PolicyDecision,
    SecurityPolicy,
    Status,
)
from llmproxy_core.store.labels import Judged
from llmproxy_core.tui.guard import PolicyLine, Progress


class Connections(Protocol):
    """Raise LlmproxyError only."""

    def read[T](self, read: Callable[[Any], T]) -> T:
        """With a connection of SQLAlchemy."""

    def change[T](self, change: Callable[[Any], T]) -> T:
        """With a connection of psycopg, which may write."""

    def database(self) -> AbstractContextManager[Database]: ...


class StoreGuard:
    """See `guard.Guard`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._read = connections.read
        self._change = connections.change
        self._known: tuple[object, dict[str, Judged]] | None = None
        """What is known of policies, and of which state of the store."""

    def anomalies(
        self, *, limit: int, before: UUID | None = None, wanted: Queue | None = None
    ) -> list[Anomaly]:
        return self._read(lambda c: anomalies.anomalies(c, wanted, limit=limit, before=before))

    def counts(self) -> dict[tuple[Status, Severity], int]:
        return self._read(anomalies.counts)

    def found_in(self, request: UUID) -> list[Anomaly]:
        return self._read(lambda c: anomalies.of_flow(c, request))

    def decided_about(self, request: UUID) -> list[PolicyDecision]:
        return self._read(lambda c: decisions.of_flow(c, request))

    def worst(self, requests: list[UUID]) -> dict[UUID, Severity]:
        return self._read(lambda c: flagged.worst(c, requests))

    def settle(self, anomaly: UUID, status: Status, why: str = "") -> bool:
        return self._change(
            lambda c: bool(anomaly_changes.judge(c, [anomaly], status, actor(), why))
        )

    def block_key(self, fingerprint: str) -> str:
        return self._change(lambda c: policy_changes.block_key(c, fingerprint, actor()))

    def policies(self) -> list[PolicyLine]:
        found = self._change(security_policies.policies)
        hits = self._read(lambda c: decisions.hits(c, [one.name for one in found]))
        judged = self._judged(tuple((one.name, one.since) for one in found))
        return [_line(one, hits[one.name], judged.get(one.name, Judged())) for one in found]

    def _judged(self, policies: tuple[tuple[str, datetime], ...]) -> dict[str, Judged]:
        """Read anew only if there is something new: it looks at thousands of findings."""

        def read(connection: Any) -> dict[str, Judged]:
            state = (policies, labels.stamp(connection))
            if self._known is None or self._known[0] != state:
                self._known = (state, labels.judged(connection))
            return self._known[1]

        return self._change(read)

    def set_mode(self, policy: str, mode: Mode) -> bool:
        self._change(lambda c: policy_changes.set_mode(c, policy, mode, actor()))
        return True

    def trial(self, policy: str, days: int, progress: Progress) -> list[str]:
        from llmproxy_core import trial  # it brings the detectors, which no other screen needs

        found, _ = security_policies.fitting(self._change(security_policies.policies))
        asked = next((one for one in found if one.name == policy), None)
        if asked is None:
            raise StoreError(f"There is no policy {policy!r} any more, or none that a proxy takes.")
        others = [one for one in found if one.name != policy]
        since = datetime.now(UTC) - timedelta(days=days)
        with self._connections.database() as database:
            done = trial.run(database, asked, others, since, progress=progress)
        return trial.lines(done)

    def decisions(self, policy: str, *, limit: int) -> list[PolicyDecision]:
        return self._read(lambda c: decisions.newest(c, policy, limit=limit))

    def approvals(self, *, limit: int) -> list[Approval]:
        def read(connection: Any) -> list[Approval]:
            waiting = approvals.waiting(connection)
            known = {one.request_id for one in waiting}
            latest = approvals.newest(connection, limit=limit)
            return [*waiting, *(one for one in latest if one.request_id not in known)]

        return self._read(read)

    def waiting(self) -> list[Approval]:
        return self._read(approvals.waiting)

    def decide(self, request: UUID, *, approved: bool, why: str = "") -> bool:
        said: approvals.Said = "approved" if approved else "denied"
        self._change(lambda c: approvals.decide(c, request, said, actor(), why))
        return True


def _line(policy: SecurityPolicy, hits: decisions.Hits, judged: Judged) -> PolicyLine:
    bound = judged.bound if judged.labelled else None
    most = policy.settings.get("max_false_positive_rate")
    proven = bound is not None and isinstance(most, int | float) and bound <= most
    return PolicyLine(policy, hits.day, hits.week, bound, judged.labelled, proven)
