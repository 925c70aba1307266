"""Calls that are stored and still to be learnt from: in the table from the transaction that stores
them until the one that stores what was learnt. Written with the other `lessons`."""

from sqlalchemy import Connection, text

from llmproxy_core.store.learning_rows import UnlearntRow
from llmproxy_core.store.prepared import Prepared

OLDEST = Prepared(
    text("""
SELECT u.ns_id, u.id, u.home FROM namespaces n JOIN unlearnt u ON u.ns_id = n.ns_id
WHERE u.home = :home ORDER BY u.id LIMIT :limit
""")
)


def oldest(conn: Connection, home: str, limit: int) -> list[UnlearntRow]:
    return [UnlearntRow(*row) for row in OLDEST.rows(conn, home=home, limit=limit)]
