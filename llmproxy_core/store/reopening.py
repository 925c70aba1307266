"""Feedback about a call of a conversation that an experiment has counted already.

While the experiment runs, the conversation is to be counted anew; the verdict of one that has ended
stays, and it is told.
"""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

type PgConnection = psycopg.Connection[Any]

REOPEN = """
WITH about AS (
    SELECT DISTINCT a.ns_id, a.name, a.root
    FROM unnest(%s::int4[], %s::uuid[]) AS call (ns_id, id)
    JOIN applied a ON a.ns_id = call.ns_id AND a.request_id = call.id AND a.kind = 'experiment'
    WHERE a.root IS NOT NULL
), open AS (
    UPDATE experiment_units u SET judged_at = NULL FROM about, experiments e
    WHERE u.ns_id = about.ns_id AND u.root = about.root AND u.judged_at IS NOT NULL
        AND e.ns_id = u.ns_id AND e.id = u.experiment_id AND e.id::text = about.name
        AND e.status = 'running'
)
SELECT e.name, count(*) FROM about
JOIN experiments e ON e.ns_id = about.ns_id AND e.id::text = about.name
JOIN experiment_units u ON u.ns_id = e.ns_id AND u.experiment_id = e.id AND u.root = about.root
WHERE e.status <> 'running' AND u.judged_at IS NOT NULL GROUP BY e.name ORDER BY e.name
"""

logger = logging.getLogger(__name__)


def reopen(connection: PgConnection, calls: Sequence[tuple[int, UUID]]) -> list[str]:
    """Of calls (ns_id, id) about which a person has said something; the names of experiments for
    which it comes too late."""
    keys = sorted(set(calls))
    rows = connection.execute(REOPEN, [list(column) for column in zip(*keys, strict=True)])
    late = [(str(name), int(times)) for name, times in rows]
    for name, times in late:
        logger.info(
            f"experiment {name}: feedback about {times} of its calls came after its verdict"
        )
    return [name for name, _ in late]
