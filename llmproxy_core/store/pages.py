"""Flows by the page: the statements behind the feed, made once for each filter."""

import time
from collections.abc import Collection
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Connection,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    select,
)

from llmproxy_core.store import feed, models
from llmproxy_core.store.feed import (
    FLOW,
    REQUESTS,
    RESPONSES,
    answered,
    asked,
    namespace,
)
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.partitions import WEEK_MS
from llmproxy_core.store.prepared import Prepared

LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)
RECENT_WEEKS = 3
KEPT = 64
"""Filters whose statements are kept."""

LOW, HIGH = bindparam("low", type_=Uuid), bindparam("high", type_=Uuid)
IDS = bindparam("ids", type_=ARRAY(Uuid))
SESSION = bindparam("session", type_=Uuid)
MODEL = bindparam("model", type_=Text)

BY = {"session": asked.session_id == SESSION, "model": asked.model == MODEL}
"""What an index finds flows by, newest first."""

HEX = cast(asked.id, Text).collate("C")
"""Postgres has no least of uuids."""
SPAN = Prepared(
    select(func.min(HEX), func.max(HEX)).where(
        asked.ns_id == namespace.ns_id, asked.session_id == SESSION
    )
)


def newest(conn: Connection, limit: int, low: UUID, high: UUID, where: Filter | None) -> list[Flow]:
    """The newest flows from `low` to `high`, both within."""
    span = {"limit": limit, "low": low, "high": high}
    names = models.asked_names(conn, where.models) if where and where.models else None
    if names is None:
        return [Flow(*row) for row in _page(where).rows(conn, **span)]
    query = _page(where, "model")
    found = [Flow(*row) for name in names for row in query.rows(conn, **span, model=name)]
    return _first(found, limit)


def recent(conn: Connection, limit: int, high: UUID, where: Filter | None) -> list[Flow]:
    """The newest flows up to `high`.

    The last weeks come first: to plan for those of years would take longer than to read a page.
    """
    edge = _weeks_before(high)
    found = newest(conn, limit, edge, high, where)
    if len(found) == limit:
        return found
    return found + newest(conn, limit - len(found), LOWEST, UUID(int=edge.int - 1), where)


def of_session(
    conn: Connection, session: UUID, limit: int, low: UUID, high: UUID, where: Filter | None
) -> list[Flow]:
    """The newest flows of a session. When it was is asked first, to plan for its weeks alone."""
    [(first, last)] = SPAN.rows(conn, session=session)
    if first is None:
        return []
    span = {"low": max(low, UUID(first)), "high": min(high, UUID(last)), "limit": limit}
    query = _page(where, "session")
    return [Flow(*row) for row in query.rows(conn, **span, session=session)]


def among(conn: Connection, ids: Collection[UUID], where: Filter | None = None) -> list[Flow]:
    """Those of `ids` that are stored, newest first."""
    if not ids:
        return []
    rows = _among(where).rows(conn, ids=list(ids), low=min(ids), high=max(ids))
    return [Flow(*row) for row in rows]


@lru_cache(KEPT)
def _page(where: Filter | None, by: str | None = None) -> Prepared:
    """Down the primary key of each namespace, or the index of a key of BY, until it is full."""
    query = _feed(where) if by is None else _feed(where).where(BY[by])
    return Prepared(feed.newest(query, "id"))


@lru_cache(KEPT)
def _among(where: Filter | None) -> Prepared:
    return Prepared(_feed(where).where(asked.id == func.any(IDS)).order_by(asked.id.desc()))


def _feed(where: Filter | None) -> Select[*tuple[object, ...]]:
    """Requests from LOW to HIGH and their answers; the caller brings in the namespace.

    Of the answers' ids the same is asked, for the planner does not conclude it.
    """
    columns = [column.label(name) for name, column in FLOW.items()]
    same = and_(
        answered.ns_id == asked.ns_id, answered.id == asked.id, answered.id.between(LOW, HIGH)
    )
    query = select(*columns).select_from(REQUESTS.outerjoin(RESPONSES, same))
    query = query.where(asked.ns_id == namespace.ns_id, asked.id.between(LOW, HIGH))
    return query if where is None else query.where(where.sql())


def _weeks_before(id: UUID) -> UUID:
    """The first id of a time some weeks before another one's, or before now."""
    at = min(time.time_ns() // 1_000_000, id.int >> 80)
    return UUID(int=max(1, (at - RECENT_WEEKS * WEEK_MS) << 80))


def _first(flows: list[Flow], limit: int) -> list[Flow]:
    return sorted(flows, key=lambda flow: flow.id, reverse=True)[:limit]
