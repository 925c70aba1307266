"""What people said of findings, for what can be learned from it: thresholds, and how good policies
are. `resolved` means that a finding was right, `false_positive` that it was not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.anomaly.learning import Label
from llmproxy_core.policies.bound import upper_bound

type PgConnection = psycopg.Connection[Any]

MOST = 10_000
"""Labels that are looked at, the last ones."""

# By the index of what has a status from a person.
LABELS = """
SELECT * FROM (
    SELECT n.name, a.detector, a.score, a.text_hash, a.status, a.status_at
    FROM namespaces n CROSS JOIN LATERAL (
        SELECT * FROM anomalies o WHERE o.ns_id = n.ns_id AND o.status_at IS NOT NULL
        ORDER BY o.status_at DESC LIMIT %(most)s
    ) AS a
    WHERE a.status IN ('resolved', 'false_positive')
    ORDER BY a.status_at DESC LIMIT %(most)s
) AS last ORDER BY status_at
"""
STAMP = """
SELECT max(last.status_at) FROM namespaces n CROSS JOIN LATERAL (
    SELECT o.status_at FROM anomalies o WHERE o.ns_id = n.ns_id AND o.status_at IS NOT NULL
    ORDER BY o.status_at DESC LIMIT 1
) AS last
"""
LABELLED = """
SELECT o.ns_id, o.id, o.detector, o.text_hash, o.request_id, o.last_request_id,
    o.status = 'false_positive'
FROM namespaces n JOIN anomalies o ON o.ns_id = n.ns_id AND o.status_at IS NOT NULL
WHERE o.status IN ('resolved', 'false_positive')
ORDER BY o.status_at DESC LIMIT %(most)s
"""
# Of what a policy decided as it is now: another expression has its own false positives.
JUDGED = """
SELECT p.name, count(DISTINCT hit.id), count(DISTINCT hit.id) FILTER (WHERE hit.is_false)
FROM security_policies p LEFT JOIN (
    SELECT d.policy, d.at, a.id, a.status = 'false_positive' AS is_false
    FROM namespaces n CROSS JOIN LATERAL (
        SELECT * FROM anomalies o WHERE o.ns_id = n.ns_id AND o.status_at IS NOT NULL
        ORDER BY o.status_at DESC LIMIT %(most)s
    ) AS a
    CROSS JOIN LATERAL (SELECT a.request_id UNION SELECT a.last_request_id) AS calls
    JOIN policy_decisions d ON d.ns_id = a.ns_id AND d.request_id = calls.request_id
    WHERE a.status IN ('resolved', 'false_positive') AND a.id = ANY (d.findings)
) AS hit ON hit.policy = p.name AND hit.at >= p.since
GROUP BY p.name
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings that a policy applied to and that people have judged; how many they found false."""

    labelled: int = 0
    false: int = 0

    @property
    def bound(self) -> float:
        """Of the rate of false positives, with a confidence of 95 %."""
        return upper_bound(self.false, self.labelled)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An anomaly that people have judged, and what it is known by when it is found again."""

    ns_id: int
    id: UUID
    detector: str
    text_hash: UUID
    request_id: UUID
    last_request_id: UUID
    false: bool


def labelled(connection: PgConnection) -> list[Labelled]:
    """The last of all namespaces."""
    return [Labelled(*row) for row in connection.execute(LABELLED, {"most": MOST})]


def labels(connection: PgConnection) -> list[Label]:
    """The last of all namespaces, the oldest first."""
    rows = connection.execute(LABELS, {"most": MOST})
    return [
        Label(name, detector, score, text_hash.bytes, status == "false_positive")
        for name, detector, score, text_hash, status, _ in rows
    ]


def stamp(connection: PgConnection) -> datetime | None:
    """When somebody last said something of a finding; another time means that labels are others."""
    row = connection.execute(STAMP).fetchone()
    return row[0] if row else None


def judged(connection: PgConnection) -> dict[str, Judged]:
    """Of every policy, by its name."""
    rows = connection.execute(JUDGED, {"most": MOST})
    return {name: Judged(labelled, false) for name, labelled, false in rows}
