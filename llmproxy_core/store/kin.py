"""Requests as places in conversations: what the worker asks where its memory does not reach."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from llmproxy_core.store.call_rows import Relation
from llmproxy_core.store.call_tables import RequestTable, ResponseTable, SessionTable
from llmproxy_core.store.values import clean

MOST = 20_000
OF_A_SESSION = 2_000
SAME_HEAD = 64
CALLING = 256
TELLING = 64
"""Answers that are read again: such with tool calls, and long ones in conversations."""
LONG = 60
"""Tokens of an answer that may be a summary."""
SPOKEN = 3
"""Messages of a request in which there may be an answer."""
ONE_MS = 1 << 80


class Kin(NamedTuple):
    """A request in its conversation; `external_id` and `source` are those of its session."""

    id: UUID
    session_id: UUID
    started_at: datetime
    ended_at: datetime | None
    state: str | None
    client: str
    proxy_user: str | None
    user_agent: str | None
    credential: str | None
    head: UUID | None
    n_messages: int
    relation: Relation
    parent_id: UUID | None
    parent_call: str | None
    external_id: str | None
    source: str
    continued: bool


def by_heads(connection: Connection, ns_id: int, heads: Sequence[UUID]) -> list[Kin]:
    """The latest of the requests with these heads, oldest first."""
    request = RequestTable
    query = _kin(ns_id).where(request.head.in_(heads)).order_by(request.id.desc())
    return _rows(connection, query.limit(SAME_HEAD))


def since(connection: Connection, ns_id: int, begin_ms: int) -> list[Kin]:
    """Turns that began at a time (ms since 1970) or later, oldest first."""
    request = RequestTable
    query = _kin(ns_id).where(request.id >= _first_id(begin_ms), request.head.is_not(None))
    return _rows(connection, query.order_by(request.id.desc()).limit(MOST))


def of_session(connection: Connection, ns_id: int, session_id: UUID) -> list[Kin]:
    request = RequestTable
    query = _kin(ns_id).where(request.session_id == session_id)
    return _rows(connection, query.order_by(request.id.desc()).limit(OF_A_SESSION))


def of_response(connection: Connection, ns_id: int, response_id: str) -> Kin | None:
    """The request to whose answer the provider gave this id. Finds ids of `resp...`."""
    if not response_id.startswith("resp"):
        return None
    request, response = RequestTable, ResponseTable
    query = (
        _kin(ns_id)
        .join(response, (request.ns_id == response.ns_id) & (request.id == response.id))
        .where(
            response.ns_id == ns_id,
            response.response_id == clean(response_id),
            response.response_id.like("resp%"),  # the index has no others
        )
        .order_by(response.id.desc())
    )
    found = _rows(connection, query.limit(1))
    return found[0] if found else None


def heads(connection: Connection, ns_id: int, limit: int) -> list[bytes] | None:
    """All heads of a namespace; None where there are more than `limit`."""
    request = RequestTable
    query = select(func.uuid_send(request.head)).where(
        request.ns_id == ns_id, request.head.is_not(None)
    )
    found = [bytes(head) for head in connection.scalars(query.limit(limit + 1))]
    return found if len(found) <= limit else None


def told_since(connection: Connection, ns_id: int, begin_ms: int) -> list[Kin]:
    """Turns since a time (ms since 1970) whose answers hold what later ones may carry."""
    request, response = RequestTable, ResponseTable
    query = (
        _kin(ns_id)
        .join(response, (request.ns_id == response.ns_id) & (request.id == response.id))
        .where(request.id >= _first_id(begin_ms), request.head.is_not(None))
        .order_by(request.id.desc())
    )
    calling = query.where(response.n_tool_calls > 0).limit(CALLING)
    telling = query.where(
        response.n_tool_calls == 0,
        response.output_tokens >= LONG,
        request.n_messages >= SPOKEN,
    ).limit(TELLING)
    found = [*_rows(connection, calling), *_rows(connection, telling)]
    return sorted(found, key=lambda row: row.id)


def _kin(ns_id: int) -> Select[*tuple[Any, ...]]:
    request, session, child = RequestTable, SessionTable, aliased(RequestTable)
    ended = aliased(ResponseTable)
    continued = exists().where(
        child.ns_id == request.ns_id,
        child.session_id == request.session_id,
        child.id > request.id,
        child.parent_id == request.id,
        child.relation.in_(("append", "branch")),
    )
    same = and_(session.ns_id == request.ns_id, session.id == request.session_id)
    return (
        select(
            request.id,
            request.session_id,
            request.started_at,
            ended.ended_at,
            ended.state,
            request.client,
            request.proxy_user,
            request.user_agent,
            request.credential,
            request.head,
            request.n_messages,
            request.relation,
            request.parent_id,
            request.parent_call,
            session.external_id,
            session.source,
            continued,
        )
        .join(session, same)
        .outerjoin(ended, and_(ended.ns_id == request.ns_id, ended.id == request.id))
        .where(request.ns_id == ns_id)
    )


def _rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Kin]:
    """Of a query with the latest first: oldest first."""
    return [Kin(*row) for row in reversed(connection.execute(query).all())]


def _first_id(begin_ms: int) -> UUID:
    return UUID(int=max(0, begin_ms) * ONE_MS)
