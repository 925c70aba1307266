"""What screens and commands read. Each function takes a SQLAlchemy connection and gives values."""

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    text,
    true,
)

from llmproxy_core.store import detail, models
from llmproxy_core.store import search as searching
from llmproxy_core.store.feed import (
    FLOW,
    NAMESPACES,
    REQUESTS,
    RESPONSES,
    answered,
    asked,
    namespace,
)
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.partitions import WEEK_MS
from llmproxy_core.store.query import Query
from llmproxy_core.store.rows import EventRow, Flow, FlowDetail, Session, StreamDelta, Summary
from llmproxy_core.store.tables import EventTable, SessionTable, StreamDeltaTable

HEX = frozenset("0123456789abcdef")
FOUND_IDS = 20
SUFFIX_DIGITS = 4
HOUR_MS = 3_600_000
LOWEST = UUID(int=0)
RECENT_WEEKS = 3


def flows(
    conn: Connection,
    *,
    limit: int = 100,
    before: UUID | None = None,
    after: UUID | None = None,
    where: Filter | None = None,
    session: UUID | None = None,
) -> list[Flow]:
    """The newest flows, newest first: those with ids below `before` and above `after`.

    Goes down the primary key of each namespace and stops at `limit`; with a filter that matches
    rarely it has to go further, unless it names words to search for.
    """
    if where is not None and where.query is not None:
        return _searched(conn, where.query, limit, before, after, where, session)
    if after is None and session is None:
        # to plan for the partitions of years would take longer than to read a page
        edge = _weeks_before(before)
        found = flows(conn, limit=limit, before=before, after=edge, where=where)
        if len(found) == limit:
            return found
        left, older = limit - len(found), UUID(int=edge.int + 1)
        return found + flows(conn, limit=left, before=older, after=LOWEST, where=where)
    query = _feed(REQUESTS, after, before).where(asked.ns_id == namespace.ns_id)
    if before is not None:
        query = query.where(asked.id < before)
    if after is not None:
        query = query.where(asked.id > after)
    if session is not None:
        query = query.where(asked.session_id == session)
    names = None
    if where is not None:
        query = query.where(where.sql())
        names = models.asked_names(conn, where.models) if where.models else None
    if names is None:
        return _newest(conn, [query], limit)
    # the plan depends on how rare a name is
    conn.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    found = _newest(conn, [query.where(asked.model == name) for name in names], limit)
    conn.execute(text("SET LOCAL plan_cache_mode = auto"))
    return found


def _newest(conn: Connection, queries: list[Select[*tuple[Any, ...]]], limit: int) -> list[Flow]:
    """The newest of all queries, each asked for every namespace."""
    found: list[Flow] = []
    for query in queries:
        newest = query.order_by(asked.id.desc()).limit(limit).correlate(NAMESPACES).lateral("f")
        statement = select(newest).select_from(NAMESPACES.join(newest, true()))
        rows = conn.execute(statement.order_by(newest.c.id.desc()).limit(limit))
        found += [Flow(*row) for row in rows]
    return sorted(found, key=lambda flow: flow.id, reverse=True)[:limit]


def search(
    conn: Connection, query: Query, *, limit: int = 50, before: UUID | None = None
) -> list[Flow]:
    """The newest flows, newest first, in which the words were said for the first time."""
    return _searched(conn, query, limit, before)


def _searched(
    conn: Connection,
    query: Query,
    limit: int,
    before: UUID | None,
    after: UUID | None = None,
    where: Filter | None = None,
    session: UUID | None = None,
) -> list[Flow]:
    def keep(keys: list[tuple[int, UUID]]) -> list[Flow]:
        wanted = asked.id == func.any(literal([key[1] for key in keys]))
        statement = _feed(NAMESPACES.join(REQUESTS, asked.ns_id == namespace.ns_id)).where(wanted)
        if after is not None:
            statement = statement.where(asked.id > after)
        if session is not None:
            statement = statement.where(asked.session_id == session)
        if where is not None:
            statement = statement.where(where.sql())
        return [Flow(*row) for row in conn.execute(statement.order_by(asked.id.desc()))]

    return searching.search(conn, query, keep, limit=limit, before=before)


def flows_by_id(conn: Connection, ids: Collection[UUID]) -> list[Flow]:
    """Those of `ids` that are stored, newest first."""
    if not ids:
        return []
    query = _feed(NAMESPACES.join(REQUESTS, asked.ns_id == namespace.ns_id))
    query = query.where(asked.id.in_(list(ids))).order_by(asked.id.desc())
    return [Flow(*row) for row in conn.execute(query)]


def flow(conn: Connection, id: UUID) -> FlowDetail | None:
    """Everything about one flow, bodies included."""
    found = flows_by_id(conn, [id])
    request = detail.request(conn, found[0].ns_id, id) if found else None
    if request is None:
        return None
    response, tool_calls = detail.answer(conn, request.ns_id, id)
    return FlowDetail(
        flow=found[0],
        request=request,
        response=response,
        tool_calls=tool_calls,
        previous_id=detail.previous(conn, request),
        live=deltas(conn, id) if found[0].state == "open" else [],
    )


def find_ids(conn: Connection, prefix: str) -> list[UUID]:
    """Ids that begin, or end, with these hex digits; newest first, 20 at most.

    An end must have four digits or more; to find it, every id is looked at.
    """
    digits = prefix.strip().replace("-", "").lower()
    if not digits or len(digits) > 32 or not HEX.issuperset(digits):
        return []
    found = asked.id.between(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))
    query = select(asked.id).where(asked.ns_id == namespace.ns_id)
    if SUFFIX_DIGITS <= len(digits) < 32:
        last = func.right(func.encode(func.uuid_send(asked.id), "hex"), len(digits))
        query = query.where(or_(found, last == digits))
    else:
        query = query.where(found)
    return list(conn.scalars(query.order_by(asked.id.desc()).limit(FOUND_IDS)))


def deltas(conn: Connection, id: UUID, after_seq: int = -1) -> list[StreamDelta]:
    """What has been streamed so far of an open flow, after `after_seq`."""
    c = StreamDeltaTable.__table__.c
    query = (
        select(c.ns_id, c.request_id, c.seq, c.kind, c.text)
        .where(c.ns_id == namespace.ns_id, c.request_id == id, c.seq > after_seq)
        .order_by(c.seq)
    )
    return [StreamDelta(*row) for row in conn.execute(query)]


def sessions(
    conn: Connection, *, limit: int = 100, before: datetime | None = None
) -> list[Session]:
    """Those last active first; `before`: only those last active before it."""
    c = SessionTable.__table__.c
    query = _sessions()
    if before is not None:
        query = query.where(c.last_at < before)
    query = query.order_by(c.last_at.desc(), c.id.desc()).limit(limit)
    return [Session(*row) for row in conn.execute(query)]


def session(conn: Connection, id: UUID) -> Session | None:
    row = conn.execute(_sessions().where(SessionTable.__table__.c.id == id)).first()
    return Session(*row) if row else None


def events(conn: Connection, *, limit: int = 100, kind: str | None = None) -> list[EventRow]:
    """Newest first."""
    c = EventTable.__table__.c
    query = select(c.ns_id, c.id, c.at, c.kind, c.request_id, c.data)
    query = query.where(c.ns_id == namespace.ns_id)
    if kind is not None:
        query = query.where(c.kind == kind)
    return [EventRow(*row) for row in conn.execute(query.order_by(c.id.desc()).limit(limit))]


def summary(conn: Connection) -> Summary:
    """Totals come from the sessions' counters, so that no large table is counted."""
    hour_ago = UUID(int=(time.time_ns() // 1_000_000 - HOUR_MS) << 80)
    return Summary(*conn.execute(SUMMARY, {"hour_ago": hour_ago}).one())


SUMMARY = text("""
SELECT totals.*, recent.*, told.*
FROM (
    SELECT coalesce(sum(requests), 0)::bigint, coalesce(sum(responses), 0)::bigint,
        coalesce(sum(errors), 0)::bigint, count(*),
        coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
        coalesce(sum(cost_usd), 0)
    FROM sessions
) AS totals, (
    SELECT count(*) FILTER (WHERE r.started_at > now() - interval '1 minute'),
        count(*) FILTER (WHERE s.id IS NULL)
    FROM namespaces n
    JOIN requests r ON r.ns_id = n.ns_id AND r.id > :hour_ago
    LEFT JOIN responses s ON s.ns_id = r.ns_id AND s.id = r.id
) AS recent, (
    SELECT coalesce(sum((e.data ->> 'records')::numeric) FILTER (WHERE e.kind = 'gap'), 0)::bigint,
        count(*) FILTER (WHERE e.kind = 'row_refused'),
        coalesce(sum((e.data ->> 'bodies')::numeric) FILTER (WHERE e.kind = 'gap'), 0)::bigint
    FROM namespaces n
    JOIN analytics_events e ON e.ns_id = n.ns_id AND e.kind IN ('gap', 'row_refused')
) AS told
""")


def _weeks_before(id: UUID | None) -> UUID:
    """The first id of a time some weeks before another one's, or before now."""
    now = time.time_ns() // 1_000_000
    at = now if id is None else min(now, id.int >> 80)
    return UUID(int=max(0, at - RECENT_WEEKS * WEEK_MS) << 80)


def _feed(
    tables: FromClause, after: UUID | None = None, before: UUID | None = None
) -> Select[*tuple[Any, ...]]:
    """Requests and their answers; the caller brings in the namespace.

    `after`, `before`: what the caller asks of the requests' ids is asked of the answers' as well,
    for the planner does not conclude it.
    """
    columns = [column.label(name) for name, column in FLOW.items()]
    same = and_(answered.ns_id == asked.ns_id, answered.id == asked.id)
    if after is not None:
        same = and_(same, answered.id > after)
    if before is not None:
        same = and_(same, answered.id < before)
    return select(*columns).select_from(tables.outerjoin(RESPONSES, same))


def _sessions() -> Select[*tuple[Any, ...]]:
    c = SessionTable.__table__.c
    key, *rest = [column for column in c if column is not c.ns_id]
    return select(c.ns_id, namespace.name, key, *rest).where(c.ns_id == namespace.ns_id)
