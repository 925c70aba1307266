"""What the worker asks when it starts again: the sessions that it knew before.

Of the requests in them, see `kin`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, tuple_

from llmproxy_core.store.call_tables import RequestTable, SessionTable


class SessionSpan(NamedTuple):
    id: UUID
    started_at: datetime
    last_at: datetime


def sessions_of_requests(
    connection: Connection, keys: Iterable[tuple[int, UUID]]
) -> dict[UUID, SessionSpan]:
    """(ns_id, id) of requests -> their sessions; those that are not stored are missing."""
    request, session = RequestTable, SessionTable
    query = (
        select(request.id, session.id, session.started_at, session.last_at)
        .join(session, (request.ns_id == session.ns_id) & (request.session_id == session.id))
        .where(tuple_(request.ns_id, request.id).in_(list(keys)))
    )
    return {row[0]: SessionSpan(*row[1:]) for row in connection.execute(query)}


def recent_sessions(
    connection: Connection, ns_id: int, source: str, since: datetime
) -> Sequence[SessionSpan]:
    """The sessions of a source in which anything happened since a time."""
    table = SessionTable
    query = select(table.id, table.started_at, table.last_at).where(
        table.ns_id == ns_id,
        table.source == source,
        table.last_at >= since,
    )
    return [SessionSpan(*row) for row in connection.execute(query)]
