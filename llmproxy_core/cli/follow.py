"""Flows as they end, for as long as one listens."""

import queue
from collections.abc import Iterator, Sequence
from uuid import UUID

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store import reads
from llmproxy_core.store.database import Database
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.notify import Listener
from llmproxy_core.store.rows import Change, Flow

PAGE = 500


class Follower:
    """Each flow that ends after `known` were read, once. A lost connection loses none of them."""

    def __init__(self, database: Database, where: Filter | None, known: Sequence[Flow]) -> None:
        self._database = database
        self._where = where
        self._open: set[UUID] = {flow.id for flow in known if flow.state == "open"}
        self._last: UUID | None = max((flow.id for flow in known), default=None)
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()

    def ended(self) -> Iterator[Flow]:
        """Goes on for ever; Ctrl-C ends it."""
        if self._last is None:
            self._last = self._newest()
        listener = Listener(self._database, self._changes.put)
        try:
            while True:
                change = self._changes.get()
                try:
                    yield from self._ended(change)
                except DatabaseUnavailable:
                    # the listener connects again and then reports an overflow
                    continue
        finally:
            listener.close()

    def _newest(self) -> UUID | None:
        with self._database.connect() as connection:
            return next((flow.id for flow in reads.flows(connection, limit=1)), None)

    def _ended(self, change: Change) -> Iterator[Flow]:
        self._open.update(change.started)
        with self._database.connect() as connection:
            if change.overflow:
                self._open.update(flow.id for flow in self._since(self._last))
            asked = self._open & {*change.ended, *change.started}
            asked = set(self._open) if change.overflow else asked | set(change.ended)
            found = reads.flows_by_id(connection, list(asked)) if asked else []
        for flow in sorted(found, key=lambda flow: flow.id):
            self._last = max(self._last or flow.id, flow.id)
            if flow.state == "open":
                self._open.add(flow.id)
                continue
            self._open.discard(flow.id)
            if self._where is None or self._where.matches(flow):
                yield flow

    def _since(self, last: UUID | None) -> Iterator[Flow]:
        """All flows newer than `last`, page by page."""
        while True:
            with self._database.connect() as connection:
                page = reads.flows(connection, limit=PAGE, after=last)
            yield from page
            if len(page) < PAGE:
                return
            last = max(flow.id for flow in page)
