"""What policies decided, as screens and commands read it."""

import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.guard_rows import PolicyDecision
from llmproxy_core.store.pages import HIGHEST
from llmproxy_core.store.prepared import Prepared

DAY_MS = 86_400_000
MOST = 1000
"""So far hits are counted, of a policy, a namespace and a span."""

COLUMNS = """
d.ns_id, n.name, d.request_id, d.id, d.at, d.policy, d.mode, d.action, d.outcome, d.why, d.findings
"""
OF_FLOW = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n JOIN policy_decisions d ON d.ns_id = n.ns_id
WHERE d.request_id = :flow ORDER BY d.at, d.id
""")  # noqa: S608
)
NEWEST = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n CROSS JOIN LATERAL (
    SELECT * FROM policy_decisions o
    WHERE o.ns_id = n.ns_id AND o.policy = :policy AND o.request_id < :before
    ORDER BY o.request_id DESC LIMIT :limit
) AS d ORDER BY d.request_id DESC, d.id LIMIT :limit
""")  # noqa: S608
)
HITS = Prepared(
    text("""
SELECT wanted.policy, sum(day.number)::bigint, sum(week.number)::bigint FROM namespaces n
CROSS JOIN unnest(CAST(:policies AS text[])) AS wanted (policy)
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
    SELECT FROM policy_decisions d WHERE d.ns_id = n.ns_id AND d.policy = wanted.policy
        AND d.request_id >= :day LIMIT :most) AS first) AS day
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
    SELECT FROM policy_decisions d WHERE d.ns_id = n.ns_id AND d.policy = wanted.policy
        AND d.request_id >= :week LIMIT :most) AS first) AS week
GROUP BY 1
""")
)


@dataclass(frozen=True, slots=True)
class Hits:
    """How often a policy applied, up to MOST in each namespace."""

    day: int = 0
    week: int = 0


def of_flow(conn: Connection, flow: UUID) -> list[PolicyDecision]:
    """What was decided about a call, in order."""
    return [PolicyDecision(*row) for row in OF_FLOW.rows(conn, flow=flow)]


def newest(
    conn: Connection, policy: str, *, limit: int = 100, before: UUID | None = None
) -> list[PolicyDecision]:
    """The newest of a policy by their calls, newest first: of calls with ids below `before`."""
    rows = NEWEST.rows(conn, policy=policy, limit=limit, before=before or HIGHEST)
    return [PolicyDecision(*row) for row in rows]


def hits(conn: Connection, policies: list[str]) -> dict[str, Hits]:
    """Of the last 24 hours and 7 days, by the time of the calls; of each policy that is asked for."""
    now = time.time_ns() // 1_000_000
    day, week = (UUID(int=(now - days * DAY_MS) << 80) for days in (1, 7))
    rows = HITS.rows(conn, policies=policies, day=day, week=week, most=MOST)
    return {name: Hits() for name in policies} | {name: Hits(*told) for name, *told in rows}
