"""What the screens of the guard need of the store: findings, policies, calls that wait.

Plain calls that may block, as those of `source`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.sections.policies import Mode
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.guard_rows import (
    Anomaly,
    Approval,
    PolicyDecision,
    SecurityPolicy,
    Status,
)

type Progress = Callable[[int, int], None]
"""Hears how many of how many calls have been read; what it raises ends the reading."""


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy, and how often it applied. `bound`: the upper one of its false positives (95 %),
    from `labelled` findings that people have settled; `proven`: it is as low as it has to be."""

    policy: SecurityPolicy
    hits_day: int = 0
    hits_week: int = 0
    bound: float | None = None
    labelled: int = 0
    proven: bool = False

    @property
    def name(self) -> str:
        return self.policy.name


class Guard(Protocol):
    """Every method blocks, may be called from any thread, and raises LlmproxyError only."""

    def anomalies(
        self, *, limit: int, before: UUID | None = None, wanted: Queue | None = None
    ) -> list[Anomaly]:
        """The newest first, those with ids below `before`."""

    def counts(self) -> dict[tuple[Status, Severity], int]: ...

    def found_in(self, request: UUID) -> list[Anomaly]: ...

    def decided_about(self, request: UUID) -> list[PolicyDecision]: ...

    def worst(self, requests: list[UUID]) -> dict[UUID, Severity]:
        """The highest severity of what was found in these calls, where something was."""

    def settle(self, anomaly: UUID, status: Status, why: str = "") -> bool:
        """Say what a person made of a finding; False: it is gone, or was that already."""

    def block_key(self, fingerprint: str) -> str:
        """Refuse all calls with this key; the name of the policy that does so."""

    def policies(self) -> list[PolicyLine]:
        """In the order in which they are asked."""

    def set_mode(self, policy: str, mode: Mode) -> bool: ...

    def decisions(self, policy: str, *, limit: int) -> list[PolicyDecision]:
        """The newest first."""

    def trial(self, policy: str, days: int, progress: Progress) -> list[str]:
        """What it would have done with the calls of the last days, in lines."""

    def approvals(self, *, limit: int) -> list[Approval]:
        """Those that wait first, the one with the least time first; then the latest."""

    def waiting(self) -> list[Approval]: ...

    def decide(self, request: UUID, *, approved: bool, why: str = "") -> bool:
        """Let a call go on, or not; who was too late is told by an error."""
