"""In which calls something was found: for lists of calls, which show no more than that."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.store.guard_rows import SEVERITIES
from llmproxy_core.store.prepared import Prepared

# By the indexes of both columns; what was a false positive does not count.
WORST = Prepared(
    text("""
SELECT found.id, max(array_position(CAST(:severities AS text[]), found.severity))
FROM namespaces n CROSS JOIN LATERAL (
    SELECT a.request_id AS id, a.severity FROM anomalies a
    WHERE a.ns_id = n.ns_id AND a.request_id = ANY (CAST(:flows AS uuid[]))
        AND a.status <> 'false_positive'
    UNION ALL
    SELECT a.last_request_id, a.severity FROM anomalies a
    WHERE a.ns_id = n.ns_id AND a.last_request_id = ANY (CAST(:flows AS uuid[]))
        AND a.status <> 'false_positive'
) AS found GROUP BY 1
""")
)


def worst(conn: Connection, flows: Sequence[UUID]) -> dict[UUID, Severity]:
    """The highest severity of what was found in some calls; of the others nothing is said."""
    rows = WORST.rows(conn, flows=list(flows), severities=list(SEVERITIES)) if flows else []
    return {id: SEVERITIES[rank - 1] for id, rank in rows if rank}
