"""Flows as they end, for as long as one listens."""

import queue
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from uuid import UUID

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store import filters, reads
from llmproxy_core.store.database import Database
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.notify import Change, Listener

PAGE = 500
REMEMBERED = 10_000
"""A flow may be named twice, as started and as ended, when it had ended before we looked."""


class Follower:
    """Each flow that ends after `known` were read, once. A lost connection loses none of them."""

    def __init__(self, database: Database, where: Filter | None, known: Sequence[Flow]) -> None:
        self._database = database
        self._where = where
        self._open = {flow.id for flow in known if flow.state == "open"}
        self._last = max((flow.id for flow in known), default=None)
        self._told: OrderedDict[UUID, None] = OrderedDict()
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()

    def ended(self) -> Iterator[Flow]:
        """Goes on for ever; Ctrl-C ends it."""
        self._look_around()
        listener = Listener(self._database, self._changes.put)
        try:
            while True:
                change = self._changes.get()
                try:
                    found = self._found(change)
                except DatabaseUnavailable:
                    # the listener connects again, too, and then reports an overflow
                    continue
                yield from self._news(found)
        finally:
            listener.close()

    def _look_around(self) -> None:
        """What is open may be older than what was listed; with nothing listed, begin at now."""
        with self._database.connect() as connection:
            running = reads.flows(connection, limit=PAGE, where=filters.parse("state:open"))
            newest = reads.flows(connection, limit=1) if self._last is None else []
        self._open.update(flow.id for flow in running)
        self._last = self._last or next((flow.id for flow in newest), None)

    def _found(self, change: Change) -> list[Flow]:
        """The flows that a change is about, oldest first."""
        with self._database.connect() as connection:
            if change.overflow:
                ids = self._open | set(self._since(self._last))
            else:
                ids = {*change.started, *change.ended}
            found = reads.flows_by_id(connection, ids)
        return sorted(found, key=lambda flow: flow.id)

    def _news(self, found: list[Flow]) -> Iterator[Flow]:
        for flow in found:
            self._last = max(self._last or flow.id, flow.id)
            if flow.state == "open":
                self._open.add(flow.id)
                continue
            self._open.discard(flow.id)
            if flow.id in self._told:
                continue
            self._told[flow.id] = None
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            if self._where is None or self._where.matches(flow):
                yield flow

    def _since(self, last: UUID | None) -> Iterator[UUID]:
        """All flows newer than `last`, page by page."""
        before: UUID | None = None
        while True:
            with self._database.connect() as connection:
                page = reads.flows(connection, limit=PAGE, after=last, before=before)
            yield from (flow.id for flow in page)
            if len(page) < PAGE:
                return
            before = page[-1].id
