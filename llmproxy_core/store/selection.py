"""Flows oldest first, a page at a time, and which of some are stored: for files, in and out."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select, true

from llmproxy_core.store import verdicts
from llmproxy_core.store.database import Database
from llmproxy_core.store.feed import (
    FLOW,
    NAMESPACES,
    REQUESTS,
    RESPONSES,
    answered,
    asked,
    is_called,
    namespace,
)
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.learning_tables import PatternCallTable, PatternTable
from llmproxy_core.success.registry import COUNTED

PAGE = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """Which flows: all conditions must hold. `since` is within, `until` is not.

    `pattern`: of it, or of one that was merged into it. `good`: signals say so, of those that count.
    """

    since: datetime | None = None
    until: datetime | None = None
    session: UUID | None = None
    ids: tuple[UUID, ...] = ()
    namespace: str | None = None
    where: Filter | None = None
    pattern: UUID | None = None
    good: bool = False
    counting: frozenset[str] = COUNTED


def ended(conn: Connection, namespace_name: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` whose answers are stored in a namespace."""
    query = select(answered.id).where(
        answered.ns_id == namespace.ns_id,
        is_called(namespace_name),
        answered.id == func.any(literal(list(ids))),
    )
    return set(conn.scalars(query))


def flows(database: Database, chosen: Selection) -> Iterator[Flow]:
    """The flows of a selection, oldest first. Holds a page at a time, and no transaction.

    Raises:
        StoreError: also in the midst of it.
    """
    after: UUID | None = None
    while True:
        with database.connect() as connection:
            page = _page(connection, chosen, after)
            found = _good(connection, page, chosen.counting) if chosen.good else page
        yield from found
        if len(page) < PAGE:
            return
        after = page[-1].id


def _page(conn: Connection, chosen: Selection, after: UUID | None) -> list[Flow]:
    same = and_(answered.ns_id == asked.ns_id, answered.id == asked.id)
    columns = [column.label(name) for name, column in FLOW.items()]
    query = select(*columns).select_from(REQUESTS.outerjoin(RESPONSES, same))
    query = query.where(asked.ns_id == namespace.ns_id)
    if after is not None:
        query = query.where(asked.id > after)
    if chosen.since is not None:
        query = query.where(asked.id >= _first(chosen.since))
    if chosen.until is not None:
        query = query.where(asked.id < _first(chosen.until))
    if chosen.session is not None:
        query = query.where(asked.session_id == chosen.session)
    if chosen.ids:
        query = query.where(asked.id == func.any(literal(list(chosen.ids))))
    if chosen.pattern is not None:
        query = query.where(_of_pattern(chosen.pattern))
    if chosen.where is not None:
        query = query.where(chosen.where.sql())
    oldest = query.order_by(asked.id).limit(PAGE).correlate(NAMESPACES).lateral("f")
    statement = select(oldest).select_from(NAMESPACES.join(oldest, true()))
    if chosen.namespace is not None:
        statement = statement.where(is_called(chosen.namespace))
    return [Flow(*row) for row in conn.execute(statement.order_by(oldest.c.id).limit(PAGE))]


def _good(conn: Connection, page: list[Flow], counting: frozenset[str]) -> list[Flow]:
    told = verdicts.signals(conn, [(flow.ns_id, flow.id) for flow in page])
    return [
        flow
        for flow in page
        if verdicts.standing(told.get(flow.id, ()), counting).verdict == "good"
    ]


def _of_pattern(pattern: UUID) -> ColumnElement[bool]:
    call, own = PatternCallTable, PatternTable
    same = and_(own.ns_id == call.ns_id, own.id == call.pattern_id)
    query = select(call.request_id).join(own, same).where(
        call.ns_id == asked.ns_id,
        call.request_id == asked.id,
        or_(own.id == pattern, own.merged_into == pattern),
    )  # fmt: skip
    return query.correlate(REQUESTS, NAMESPACES).exists()


def _first(when: datetime) -> UUID:
    """The first uuidv7 of a moment."""
    return UUID(int=int(when.timestamp() * 1000) << 80)
