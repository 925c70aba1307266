"""What the guard's screens see, without a database."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.errors import StoreError
from llmproxy_core.sections.policies import Mode
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.guard_rows import (
    SEVERITIES,
    Anomaly,
    Approval,
    ApprovalState,
    PolicyDecision,
    Status,
)
from llmproxy_core.store.notify import Change
from llmproxy_core.tui.guard import PolicyLine, Progress


class MemoryGuard:
    """`tell`: hears what changed; `check`: raises where the database is away."""

    def __init__(self, check: Callable[[], None], tell: Callable[[Change], None]) -> None:
        self._check = check
        self._tell = tell
        self.found: list[Anomaly] = []
        self.decided: list[PolicyDecision] = []
        self.lines: list[PolicyLine] = []
        self.asked: list[Approval] = []
        self.blocked: list[str] = []
        self.whys: list[str] = []
        self.trials: dict[str, list[str]] = {}

    # what tests do ---------------------------------------------------------------------------

    def find(self, *found: Anomaly) -> None:
        self.found += found
        self._tell(Change(anomalies=[one.id for one in found]))

    def ask(self, approval: Approval) -> None:
        self.asked.append(approval)
        self._tell(Change(approvals=[approval.request_id]))

    # what the app does -----------------------------------------------------------------------

    def anomalies(
        self, *, limit: int, before: UUID | None = None, wanted: Queue | None = None
    ) -> list[Anomaly]:
        self._check()
        asked = wanted or Queue()
        found = sorted(self.found, key=lambda one: one.id.int, reverse=True)
        return [
            one
            for one in found
            if (before is None or one.id.int < before.int)
            and one.status in asked.statuses
            and one.severity in asked.severities
            and (not asked.families or one.family in asked.families)
            and asked.namespace in (None, one.namespace)
            and asked.detector in ("", one.detector)
            and all(word.lower() in f"{one.said} {one.excerpt}".lower() for word in asked.words)
        ][:limit]

    def counts(self) -> dict[tuple[Status, Severity], int]:
        self._check()
        counts: dict[tuple[Status, Severity], int] = {}
        for one in self.found:
            counts[one.status, one.severity] = counts.get((one.status, one.severity), 0) + 1
        return counts

    def found_in(self, request: UUID) -> list[Anomaly]:
        self._check()
        return [one for one in self.found if request in (one.request_id, one.last_request_id)]

    def decided_about(self, request: UUID) -> list[PolicyDecision]:
        self._check()
        return [one for one in self.decided if one.request_id == request]

    def worst(self, requests: list[UUID]) -> dict[UUID, Severity]:
        self._check()
        found: dict[UUID, Severity] = {}
        for one in sorted(self.found, key=lambda one: SEVERITIES.index(one.severity)):
            if one.status != "false_positive":
                found |= {one.request_id: one.severity, one.last_request_id: one.severity}
        return {id: found[id] for id in requests if id in found}

    def settle(self, anomaly: UUID, status: Status, why: str = "") -> bool:
        self._check()
        self.whys.append(why)
        self.found = [
            replace(one, status=status, status_by="mira", status_why=why or None)
            if one.id == anomaly
            else one
            for one in self.found
        ]
        self._tell(Change(anomalies=[anomaly]))
        return True

    def block_key(self, fingerprint: str) -> str:
        self._check()
        self.blocked.append(fingerprint)
        return f"block-{fingerprint}"

    def policies(self) -> list[PolicyLine]:
        self._check()
        return list(self.lines)

    def set_mode(self, policy: str, mode: Mode) -> bool:
        self._check()
        for index, line in enumerate(self.lines):
            if line.name == policy:
                if line.policy.origin == "mitm.toml":
                    raise StoreError(f"{policy} is of a mitm.toml. Change it there.")
                self.lines[index] = replace(line, policy=replace(line.policy, mode=mode))
        return True

    def decisions(self, policy: str, *, limit: int) -> list[PolicyDecision]:
        self._check()
        return [one for one in self.decided if one.policy == policy][:limit]

    def trial(self, policy: str, days: int, progress: Progress) -> list[str]:
        self._check()
        progress(100, 412)
        if policy not in self.trials:
            raise StoreError(f"There is no policy {policy!r}.")
        return self.trials[policy]

    def approvals(self, *, limit: int) -> list[Approval]:
        self._check()
        ordered = sorted(self.asked, key=lambda one: (one.state != "waiting", one.expires_at))
        return ordered[:limit]

    def waiting(self) -> list[Approval]:
        self._check()
        return [one for one in self.asked if one.state == "waiting"]

    def decide(self, request: UUID, *, approved: bool, why: str = "") -> bool:
        self._check()
        for index, one in enumerate(self.asked):
            if one.request_id == request:
                state: ApprovalState = "approved" if approved else "denied"
                self.asked[index] = replace(one, state=state, decided_by="mira", why=why or None)
        self._tell(Change(approvals=[request]))
        return True
