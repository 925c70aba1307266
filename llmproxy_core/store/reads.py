"""What screens and commands read. Each function takes a SQLAlchemy connection and gives values."""

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Connection,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    func,
    or_,
    select,
    text,
)

from llmproxy_core.store import detail, pages
from llmproxy_core.store import search as searching
from llmproxy_core.store.call_rows import EventRow, StreamDelta
from llmproxy_core.store.call_tables import EventTable, SessionTable, StreamDeltaTable
from llmproxy_core.store.feed import asked, namespace, newest
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow, FlowDetail, Session, Summary
from llmproxy_core.store.pages import HIGHEST, LOWEST
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.query import Query

HEX = frozenset("0123456789abcdef")
FOUND_IDS = 20
SUFFIX_DIGITS = 4
HOUR = timedelta(hours=1)
MINUTE_MS = 60_000

delta, active, told = (table.__table__.c for table in (StreamDeltaTable, SessionTable, EventTable))

DELTAS = Prepared(
    select(delta.ns_id, delta.request_id, delta.seq, delta.kind, delta.text)
    .where(
        delta.ns_id == namespace.ns_id,
        delta.request_id == bindparam("id", type_=Uuid),
        delta.seq > bindparam("after_seq", type_=Integer),
    )
    .order_by(delta.seq)
)
_sessions = select(
    active.ns_id, namespace.name, *(c for c in active if c is not active.ns_id)
).where(active.ns_id == namespace.ns_id)
SESSIONS = Prepared(
    newest(
        _sessions.where(active.last_at < bindparam("before", type_=DateTime(timezone=True))),
        "last_at",
        "id",
    )
)
SESSIONS_BY_ID = Prepared(
    _sessions.where(active.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))).order_by(
        active.last_at.desc(), active.id.desc()
    )
)
_events = select(told.ns_id, told.id, told.at, told.kind, told.request_id, told.data).where(
    told.ns_id == namespace.ns_id
)
EVENTS = Prepared(newest(_events, "id"))
EVENTS_OF = Prepared(newest(_events.where(told.kind == bindparam("kind", type_=Text)), "id"))
SUMMARY = Prepared(
    text("""
SELECT totals.*, (
        SELECT count(*) FROM namespaces n
        JOIN requests r ON r.ns_id = n.ns_id AND r.id > :minute_ago
        WHERE r.started_at > now() - interval '1 minute'
    ), (
        SELECT coalesce(sum(greatest(s.requests - s.responses, 0)), 0)::bigint FROM namespaces n
        JOIN sessions s ON s.ns_id = n.ns_id AND s.last_at > :hour_ago
    ), lost.*
FROM (
    SELECT coalesce(sum(requests), 0)::bigint, coalesce(sum(responses), 0)::bigint,
        coalesce(sum(errors), 0)::bigint, count(*),
        coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
        coalesce(sum(cost_usd), 0)
    FROM sessions
) AS totals, (
    SELECT coalesce(sum((e.data ->> 'records')::numeric) FILTER (WHERE e.kind = 'gap'), 0)::bigint,
        count(*) FILTER (WHERE e.kind = 'row_refused'),
        coalesce(sum((e.data ->> 'bodies')::numeric) FILTER (WHERE e.kind = 'gap'), 0)::bigint
    FROM namespaces n
    JOIN analytics_events e ON e.ns_id = n.ns_id AND e.kind IN ('gap', 'row_refused')
) AS lost
""")
)


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
    low = LOWEST if after is None else UUID(int=after.int + 1)
    high = HIGHEST if before is None else UUID(int=before.int - 1)
    if where is not None and where.query is not None:
        return _searched(conn, where.query, limit, before, low, where, session)
    if session is not None:
        return pages.of_session(conn, session, limit, low, high, where)
    if after is not None:
        return pages.newest(conn, limit, low, high, where)
    return pages.recent(conn, limit, high, where)


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
    low: UUID = LOWEST,
    where: Filter | None = None,
    session: UUID | None = None,
) -> list[Flow]:
    def keep(keys: list[tuple[int, UUID]]) -> list[Flow]:
        found = pages.among(conn, [id for _, id in keys if id >= low], where)
        return [flow for flow in found if session in (None, flow.session_id)]

    return searching.search(conn, query, keep, limit=limit, before=before)


def flows_by_id(conn: Connection, ids: Collection[UUID]) -> list[Flow]:
    """Those of `ids` that are stored, newest first."""
    return pages.among(conn, ids)


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
    return [StreamDelta(*row) for row in DELTAS.rows(conn, id=id, after_seq=after_seq)]


def sessions(
    conn: Connection, *, limit: int = 100, before: datetime | None = None
) -> list[Session]:
    """Those last active first; `before`: only those last active before it."""
    rows = SESSIONS.rows(conn, limit=limit, before=before or datetime.max.replace(tzinfo=UTC))
    return [Session(*row) for row in rows]


def sessions_by_id(conn: Connection, ids: Collection[UUID]) -> list[Session]:
    """Those last active first."""
    return [Session(*row) for row in SESSIONS_BY_ID.rows(conn, ids=list(ids))]


def session(conn: Connection, id: UUID) -> Session | None:
    found = sessions_by_id(conn, [id])
    return found[0] if found else None


def events(conn: Connection, *, limit: int = 100, kind: str | None = None) -> list[EventRow]:
    """Newest first."""
    rows = (
        EVENTS.rows(conn, limit=limit)
        if kind is None
        else EVENTS_OF.rows(conn, kind=kind, limit=limit)
    )
    return [EventRow(*row) for row in rows]


def summary(conn: Connection) -> Summary:
    """Totals come from the sessions' counters, so that no large table is counted."""
    minute_ago = UUID(int=(time.time_ns() // 1_000_000 - MINUTE_MS) << 80)
    hour_ago = datetime.now(UTC) - HOUR
    return Summary(*SUMMARY.rows(conn, hour_ago=hour_ago, minute_ago=minute_ago)[0])
