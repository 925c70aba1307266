"""The guard's part of what proxies are told: policies, which of them are proven, what was learned from
people, and what people decided of calls that wait."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from llmproxy_core.anomaly.learning import NOTHING, Learned
from llmproxy_core.home import Home, write_private
from llmproxy_core.store import approvals, labels, security_policies
from llmproxy_core.store.guard_rows import SecurityPolicy
from llmproxy_core.store.security_policies import DATABASE, PgConnection

WEIGH_SECONDS = 30.0
"""How often labels are weighed though nobody has said anything new: policies go on deciding."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`policies`: those of the table, each as a table `[[policies]]`. `proven`: names of those whose
    bound of false positives is not above what they allow, of `mitm.toml` or of the table."""

    policies: list[dict[str, Any]] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    learned: Learned = NOTHING
    problems: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.policies or self.proven or self.learned.written())


class GuardRules:
    """Of one worker. Labels are read when there are new ones."""

    def __init__(self, home: Home) -> None:
        self._file = home.approvals
        self._weighed: tuple[datetime | None, Sequence[SecurityPolicy]] | None = None
        self._weigh_at = 0.0
        self._proven: list[str] = []
        self._learned = NOTHING

    def gather(self, connection: PgConnection) -> Guard:
        found = security_policies.policies(connection)
        self._weigh(connection, found)
        own = [policy for policy in found if policy.origin == DATABASE]
        fitting, problems = security_policies.fitting(own)
        tables = [policy.model_dump(mode="json", exclude_defaults=True) for policy in fitting]
        return Guard(tables, self._proven, self._learned, problems)

    def hand_decisions(self, connection: PgConnection) -> bool:
        """Tell the proxies what was decided of calls; False if they know it.

        Raises:
            OSError: the file cannot be written.
        """
        content = msgspec.json.encode(approvals.decided(connection))
        try:
            known = self._file.read_bytes()
        except OSError:
            known = b"{}"  # there is none yet, or none that can be read
        if known == content:
            return False
        write_private(self._file, content)
        return True

    def _weigh(self, connection: PgConnection, found: Sequence[SecurityPolicy]) -> None:
        basis = (labels.stamp(connection), found)
        if basis == self._weighed and time.monotonic() < self._weigh_at:
            return
        if self._weighed is None or basis[0] != self._weighed[0]:
            self._learned = Learned.of(labels.labels(connection))
        if asked := [policy for policy in found if _allowed(policy) is not None]:
            self._proven = proven(asked, labels.judged(connection))
        else:
            self._proven = []
        self._weighed, self._weigh_at = basis, time.monotonic() + WEIGH_SECONDS


def proven(policies: Sequence[SecurityPolicy], judged: Mapping[str, labels.Judged]) -> list[str]:
    """The names of those that ask for a bound, and have one that is not above it."""
    return sorted(
        policy.name
        for policy in policies
        if (allowed := _allowed(policy)) is not None
        and judged.get(policy.name, labels.Judged()).bound <= allowed
    )


def _allowed(policy: SecurityPolicy) -> float | None:
    allowed = policy.settings.get("max_false_positive_rate")
    return float(allowed) if isinstance(allowed, int | float) else None
