"""What goes when its call has gone: anomalies with the last call they were found in, approvals.

Their tables are not in weeks, since their rows change. So they are looked at after weeks have been
removed, by the ids of calls that retention may have removed; what a star keeps is still there.
"""

from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store.partitions import WEEK_MS

type PgConnection = psycopg.Connection[Any]

DROP = """
DELETE FROM {table} o WHERE o.ns_id = %(ns_id)s AND o.{call} < %(before)s
AND NOT EXISTS (SELECT FROM requests r WHERE r.ns_id = o.ns_id AND r.id = o.{call})
"""
TABLES = {"anomalies": "last_request_id", "approvals": "request_id", "unjudged": "id"}
DROPS = [DROP.format(table=table, call=call) for table, call in TABLES.items()]


def drop(connection: PgConnection, ns_id: int, due: int) -> int:
    """How many rows of a namespace were removed; `due`: ms since 1970, weeks that ended by then."""
    before = UUID(int=due // WEEK_MS * WEEK_MS << 80)
    values = {"ns_id": ns_id, "before": before}
    return sum(max(connection.execute(drop, values).rowcount, 0) for drop in DROPS)
