"""What goes when its call has gone: anomalies with the last call they were found in, approvals,
patterns that nobody has asked since, examples of those that live, conversations of experiments that
have ended.

Their tables are not in weeks, since their rows change. So they are looked at after weeks have been
removed, by the ids of calls that retention may have removed; what a star keeps is still there.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

type PgConnection = psycopg.Connection[Any]

DROP = """
DELETE FROM {table} o WHERE o.ns_id = %(ns_id)s AND o.{call} < %(before)s
AND NOT EXISTS (SELECT FROM requests r WHERE r.ns_id = o.ns_id AND r.id = o.{call})
"""
TABLES = {
    "anomalies": "last_request_id",
    "approvals": "request_id",
    "unjudged": "id",
    "unlearnt": "id",
}
# They hold texts of their calls. One that an experiment runs for stays.
OLD = """
DELETE FROM prompt_patterns o WHERE o.ns_id = %(ns_id)s AND o.last_seen < %(at)s
AND NOT EXISTS (SELECT FROM experiments e WHERE e.ns_id = o.ns_id AND e.pattern_id = o.id
    AND e.status IN ('draft', 'running', 'won', 'promoted'))
AND NOT EXISTS (SELECT FROM pattern_calls c JOIN requests r
    ON r.ns_id = c.ns_id AND r.id = c.request_id
    WHERE c.ns_id = o.ns_id AND c.pattern_id = o.id)
"""
OF_PATTERNS = """
DELETE FROM {table} o WHERE o.ns_id = %(ns_id)s AND NOT EXISTS (
    SELECT FROM prompt_patterns p WHERE p.ns_id = o.ns_id AND p.id = o.pattern_id)
"""
# Wordings that nobody has sent since then, but for the latest.
VERSIONS = """
DELETE FROM pattern_versions o WHERE o.ns_id = %(ns_id)s AND o.last_seen < %(at)s
AND EXISTS (SELECT FROM pattern_versions v WHERE v.ns_id = o.ns_id
    AND v.pattern_id = o.pattern_id AND v.number > o.number)
AND NOT EXISTS (SELECT FROM pattern_calls c JOIN requests r
    ON r.ns_id = c.ns_id AND r.id = c.request_id
    WHERE c.ns_id = o.ns_id AND c.pattern_id = o.pattern_id AND c.version = o.number)
"""
# An edit may have words of the prompts in it. One that is tried, or was promoted, stays.
SUGGESTIONS = """
DELETE FROM enhancements o WHERE o.ns_id = %(ns_id)s
AND o.status IN ('candidate', 'rejected', 'rolled_back') AND NOT EXISTS (
    SELECT FROM prompt_patterns p WHERE p.ns_id = o.ns_id AND p.id = o.pattern_id)
"""
UNITS = """
DELETE FROM experiment_units o USING experiments e
WHERE o.ns_id = %(ns_id)s AND o.first_at < %(at)s AND e.ns_id = o.ns_id AND e.id = o.experiment_id
    AND e.status NOT IN ('draft', 'running', 'won')
"""
# Of patterns that live. A worker leaves them out of those that it has in memory (`Space.drop_before`).
EXAMPLES = """
UPDATE prompt_patterns o SET state = jsonb_set(o.state, '{pattern,examples}', (
    SELECT coalesce(jsonb_agg(e.one ORDER BY e.number), '[]')
    FROM jsonb_array_elements(o.state #> '{pattern,examples}') WITH ORDINALITY AS e (one, number)
    WHERE e.one -> 1 >= to_jsonb(%(ns)s::bigint)))
WHERE o.ns_id = %(ns_id)s AND jsonb_typeof(o.state #> '{pattern,examples}') = 'array'
AND EXISTS (SELECT FROM jsonb_array_elements(o.state #> '{pattern,examples}') AS e (one)
    WHERE e.one -> 1 < to_jsonb(%(ns)s::bigint))
"""
DROPS = [
    *(DROP.format(table=table, call=call) for table, call in TABLES.items()),
    OLD,
    *(
        OF_PATTERNS.format(table=table)
        for table in ("pattern_versions", "pattern_history", "pattern_days", "advised")
    ),
    VERSIONS,
    SUGGESTIONS,
    UNITS,
    EXAMPLES,
]


def drop(connection: PgConnection, ns_id: int, since: int) -> int:
    """How many rows of a namespace were removed, or shortened; `since`: ms since 1970, the begin of a
    week. What is of weeks before goes."""
    at = datetime.fromtimestamp(since / 1000, UTC)
    values = {"ns_id": ns_id, "before": UUID(int=since << 80), "at": at, "ns": since * 1_000_000}
    return sum(max(connection.execute(drop, values).rowcount, 0) for drop in DROPS)
