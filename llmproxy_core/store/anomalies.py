"""Anomalies as screens and commands read them: the queue, those of a call, how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.anomaly.finding import Family, Severity
from llmproxy_core.store.guard_rows import OPEN, SEVERITIES, STATUSES, Anomaly, Status
from llmproxy_core.store.pages import HIGHEST, LOWEST
from llmproxy_core.store.prepared import Prepared

MOST = 1000
"""So far they are counted: to count a million would take longer than to show them."""
FOUND_IDS = 20

COLUMNS = """
a.ns_id, n.name, a.id, a.request_id, a.side, a.at, a.detector, a.family, a.score, a.severity,
a.author, a.kind, a.tool, a.said, a.excerpt, a.mark_start, a.mark_end, a.text_hash, a.times,
a.last_at, a.last_request_id, a.status, a.status_by, a.status_why, a.status_at
"""
IN_NAMESPACE = """
(CAST(:namespace AS text) IS NULL OR n.name = :namespace OR :namespace = ANY (n.former_names))
"""

MATCHES = """
AND (CAST(:detector AS text) = '' OR o.detector = :detector)
AND NOT EXISTS (SELECT FROM unnest(CAST(:words AS text[])) AS word
    WHERE position(word IN lower(o.said || ' ' || o.tool || ' ' || o.excerpt)) = 0)
"""

# Each status and severity by itself: an index gives its newest in order, and few are read.
QUEUE = f"""
SELECT {COLUMNS} FROM (
    SELECT page.ns_id, page.id FROM namespaces n
    CROSS JOIN unnest(CAST(:statuses AS text[])) AS wanted_status (status)
    CROSS JOIN unnest(CAST(:severities AS text[])) AS wanted_severity (severity)
    {{families}}
    CROSS JOIN LATERAL (
        SELECT o.ns_id, o.id FROM anomalies o
        WHERE o.ns_id = n.ns_id AND o.status = wanted_status.status
            AND o.severity = wanted_severity.severity {{family}}
            AND o.id >= :low AND o.id < :before {{matches}}
        ORDER BY o.id DESC LIMIT :limit
    ) AS page
    WHERE {IN_NAMESPACE}
    ORDER BY page.id DESC LIMIT :limit
) AS newest
JOIN anomalies a ON a.ns_id = newest.ns_id AND a.id = newest.id
JOIN namespaces n ON n.ns_id = a.ns_id
ORDER BY a.id DESC
"""  # noqa: S608
FAMILIES = "CROSS JOIN unnest(CAST(:families AS text[])) AS wanted_family (family)"
OF_FAMILY = "AND o.family = wanted_family.family"
BY_ID = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n JOIN anomalies a ON a.ns_id = n.ns_id
WHERE a.id = ANY (CAST(:ids AS uuid[])) ORDER BY a.id DESC
""")  # noqa: S608
)
OF_FLOW = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n JOIN anomalies a ON a.ns_id = n.ns_id
WHERE a.request_id = :flow OR a.last_request_id = :flow ORDER BY a.id
""")  # noqa: S608
)
COUNTS = Prepared(
    text(f"""
SELECT wanted_status.status, wanted_severity.severity, sum(counted.number)::bigint
FROM namespaces n
CROSS JOIN unnest(CAST(:statuses AS text[])) AS wanted_status (status)
CROSS JOIN unnest(CAST(:severities AS text[])) AS wanted_severity (severity)
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
    SELECT FROM anomalies o WHERE o.ns_id = n.ns_id AND o.status = wanted_status.status
        AND o.severity = wanted_severity.severity LIMIT :most
) AS first) AS counted
WHERE {IN_NAMESPACE} GROUP BY 1, 2
""")  # noqa: S608
)
BEGINNING = Prepared(
    text("""
SELECT a.id FROM namespaces n JOIN anomalies a ON a.ns_id = n.ns_id AND a.id BETWEEN :low AND :high
ORDER BY a.id DESC LIMIT :most
""")
)
ENDING = Prepared(
    text("""
SELECT a.id FROM namespaces n JOIN anomalies a ON a.ns_id = n.ns_id
WHERE right(encode(uuid_send(a.id), 'hex'), length(:digits)) = :digits
ORDER BY a.id DESC LIMIT :most
""")
)

HEX = frozenset("0123456789abcdef")
SUFFIX_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Queue:
    """Which anomalies are wanted; no families: of all. `words`: all are in what is said or shown.

    A detector and words have no index: where they match rarely, much is read.
    """

    statuses: Sequence[Status] = OPEN
    severities: Sequence[Severity] = SEVERITIES
    families: Sequence[Family] = ()
    namespace: str | None = None
    since: datetime | None = None
    detector: str = ""
    words: Sequence[str] = ()


def anomalies(
    conn: Connection, wanted: Queue | None = None, *, limit: int = 100, before: UUID | None = None
) -> list[Anomaly]:
    """The newest by their first appearance, newest first: those with ids below `before`."""
    wanted = wanted or Queue()
    values: dict[str, Any] = {"families": list(wanted.families)} if wanted.families else {}
    if matches := bool(wanted.detector or wanted.words):
        values |= {"detector": wanted.detector, "words": [one.lower() for one in wanted.words]}
    query = _queue(families=bool(wanted.families), matches=matches)
    rows = query.rows(
        conn,
        statuses=list(wanted.statuses),
        severities=list(wanted.severities),
        namespace=wanted.namespace,
        low=_since(wanted.since),
        before=before or HIGHEST,
        limit=limit,
        **values,
    )
    return [Anomaly(*row) for row in rows]


def by_id(conn: Connection, ids: Sequence[UUID]) -> list[Anomaly]:
    """Those of `ids` that are stored, newest first."""
    return [Anomaly(*row) for row in BY_ID.rows(conn, ids=list(ids))] if ids else []


def of_flow(conn: Connection, flow: UUID) -> list[Anomaly]:
    """Those that were found in a call for the first or the last time."""
    return [Anomaly(*row) for row in OF_FLOW.rows(conn, flow=flow)]


def counts(conn: Connection, namespace: str | None = None) -> dict[tuple[Status, Severity], int]:
    """How many there are, up to MOST of a namespace; what there is none of is left out."""
    rows = COUNTS.rows(
        conn,
        statuses=list(STATUSES),
        severities=list(SEVERITIES),
        namespace=namespace,
        most=MOST,
    )
    return {(status, severity): number for status, severity, number in rows if number}


def find_ids(conn: Connection, digits: str) -> list[UUID]:
    """Ids that begin with these hex digits, or else end with them; newest first, 20 at most.

    An end must have four digits or more; to find it, every id is looked at.
    """
    digits = digits.strip().replace("-", "").lower()
    if not digits or len(digits) > 32 or not HEX.issuperset(digits):
        return []
    low, high = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    rows = BEGINNING.rows(conn, low=low, high=high, most=FOUND_IDS)
    if not rows and len(digits) >= SUFFIX_DIGITS:
        rows = ENDING.rows(conn, digits=digits, most=FOUND_IDS)
    return [id for (id,) in rows]


@lru_cache
def _queue(*, families: bool, matches: bool) -> Prepared:
    """Without what is not asked for, an index alone gives the ids."""
    return Prepared(
        text(
            QUEUE.format(
                families=FAMILIES if families else "",
                family=OF_FAMILY if families else "",
                matches=MATCHES if matches else "",
            )
        )
    )


def _since(at: datetime | None) -> UUID:
    """The first id of a time."""
    if at is None:
        return LOWEST
    return UUID(int=min(max(0, int(at.timestamp() * 1000)), 2**48 - 1) << 80)
