"""Calls by the ids that providers gave their answers: `resp_…`, `chatcmpl-…`, `msg_…`.

In a large week an index finds each of them; that of the `resp…`, which later requests name, is there
from a week's first day.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.values import clean

NAMED_LATER = "resp"
"""How the ids begin that have an index of their own."""
OF_ANSWER = """
SELECT r.id FROM namespaces n JOIN responses r ON r.ns_id = n.ns_id
WHERE r.response_id = :answer AND r.response_id {like} 'resp%' AND r.id >= :low
    AND (CAST(:ns_id AS int4) IS NULL OR r.ns_id = :ns_id)
ORDER BY r.id DESC LIMIT 1
"""
NAMED = Prepared(text(OF_ANSWER.format(like="LIKE")))
OTHERS = Prepared(text(OF_ANSWER.format(like="NOT LIKE")))


def call_of(
    conn: Connection, answer: str, *, ns_id: int | None = None, since: datetime | None = None
) -> UUID | None:
    """The newest call whose answer has this id; of those that began `since` a time."""
    query = NAMED if answer.startswith(NAMED_LATER) else OTHERS
    rows = query.rows(conn, answer=clean(answer), ns_id=ns_id, low=_first(since))
    return rows[0][0] if rows else None


def _first(at: datetime | None) -> UUID:
    """The lowest id of a time."""
    return UUID(int=int(at.timestamp() * 1000) << 80 if at else 0)
