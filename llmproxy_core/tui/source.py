"""What the screens need of the store: plain calls that may block, so they are made in threads."""

import queue
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from llmproxy_core.conversations.cache import Miss
from llmproxy_core.errors import DatabaseUnavailable, LlmproxyError, StoreError
from llmproxy_core.home import actor
from llmproxy_core.spool import Position
from llmproxy_core.store import overview, progress, reads, stars, tree
from llmproxy_core.store.call_rows import EventRow, RequestRow, StreamDelta
from llmproxy_core.store.database import Database
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow, FlowDetail
from llmproxy_core.store.notify import Change, Listener
from llmproxy_core.store.overview import Family, Overview, SessionTree
from llmproxy_core.store.progress import Losses
from llmproxy_core.store.relay import Relay, listen
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.tui.guard import Guard
from llmproxy_core.tui.learning import Learning
from llmproxy_core.tui.store_guard import StoreGuard
from llmproxy_core.tui.store_learning import StoreLearning

LISTEN_SECONDS = 5.0
DAY = timedelta(days=1)


@dataclass(slots=True)
class Totals:
    """For the status bar. `stored`: how far each writer's journal is."""

    running: int = 0
    cost_today: Decimal = Decimal(0)
    stored: dict[str, Position] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    """Of the last day."""


class Source(Protocol):
    """Every method blocks, may be called from any thread, and raises LlmproxyError only."""

    @property
    def guard(self) -> Guard:
        """What was found, policies, and calls that wait."""

    @property
    def learning(self) -> Learning:
        """Patterns, suggestions, experiments and rules."""

    def open(self) -> None:
        """Connect and listen; after an error, connect anew."""

    def close(self) -> None:
        """Does not wait for what is being read."""

    def wait(self, timeout: float) -> Change | None:
        """The next change, or None after `timeout` seconds. Only the feed's thread calls it."""

    def flows(
        self,
        *,
        limit: int,
        before: UUID | None = None,
        where: Filter | None = None,
        session: UUID | None = None,
    ) -> list[Flow]: ...

    def flows_by_id(self, ids: list[UUID]) -> list[Flow]: ...

    def flow(self, id: UUID) -> FlowDetail | None: ...

    def deltas(self, id: UUID, after_seq: int) -> list[StreamDelta]: ...

    def streamed(self, ids: list[UUID]) -> dict[UUID, int]:
        """Characters of the answers being written, by flow."""

    def sessions(self, *, limit: int, single: bool = False) -> Overview:
        """`single`: sessions of one call, too."""

    def families(self, sessions: list[UUID]) -> dict[UUID, Family]: ...

    def tree(self, session: UUID) -> SessionTree | None: ...

    def misses(self, ns_id: int, ids: list[UUID]) -> dict[UUID, Miss | None]:
        """Why these calls missed a prompt cache; None: they did not, or it cannot be told."""

    def caller(self, row: RequestRow) -> str | None:
        """The name of the tool whose call started this sub-agent."""

    def star(self, session: UUID, *, starred: bool) -> None: ...

    def events(self, *, limit: int) -> list[EventRow]: ...

    def totals(self, since: datetime) -> Totals:
        """`since`: from when on cost is counted."""


class StoreSource:
    """The store. `open_database` may raise LlmproxyError; the feed then tries again."""

    def __init__(
        self,
        open_database: Callable[[], Database],
        folder: Path | None = None,
        counting: Collection[str] = COUNTED,
    ) -> None:
        """`folder`: where processes of this user find the one that listens for all of them. `counting`:
        the signals that count for success."""
        self._open_database = open_database
        self._folder = folder
        self._database: Database | None = None
        self._listener: Listener | Relay | None = None
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.guard = StoreGuard(self)
        self.learning = StoreLearning(self, counting)

    def open(self) -> None:
        if self._database is None:
            self._database = self._open_database()
        self._database.raw().close()  # tells why, where it does not answer
        if self._listener is None:
            self._listener = self._listen(self._database)
        try:
            self._changes.get(timeout=LISTEN_SECONDS)
        except queue.Empty:
            raise DatabaseUnavailable("The database answers, but cannot be listened to.") from None

    def _listen(self, database: Database) -> Listener | Relay:
        if self._folder is None:
            return Listener(database, self._changes.put)
        return listen(database, self._folder, self.flows_by_id, self._changes.put)

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def wait(self, timeout: float) -> Change | None:
        try:
            return self._changes.get(timeout=timeout)
        except queue.Empty:
            if self._listener is None or not self._listener.connected:
                raise DatabaseUnavailable("The connection to the database was lost.") from None
            return None

    def flows(
        self,
        *,
        limit: int,
        before: UUID | None = None,
        where: Filter | None = None,
        session: UUID | None = None,
    ) -> list[Flow]:
        return self.read(
            lambda c: reads.flows(c, limit=limit, before=before, where=where, session=session)
        )

    def flows_by_id(self, ids: list[UUID]) -> list[Flow]:
        return self.read(lambda c: reads.flows_by_id(c, ids))

    def flow(self, id: UUID) -> FlowDetail | None:
        return self.read(lambda c: reads.flow(c, id))

    def deltas(self, id: UUID, after_seq: int) -> list[StreamDelta]:
        return self.read(lambda c: reads.deltas(c, id, after_seq))

    def streamed(self, ids: list[UUID]) -> dict[UUID, int]:
        return self.read(lambda c: progress.streamed(c, ids))

    def sessions(self, *, limit: int, single: bool = False) -> Overview:
        if single:
            return self.read(lambda c: Overview(reads.sessions(c, limit=limit)))
        return self.read(lambda c: overview.conversations(c, limit=limit))

    def families(self, sessions: list[UUID]) -> dict[UUID, Family]:
        return self.read(lambda c: overview.families(c, sessions))

    def tree(self, session: UUID) -> SessionTree | None:
        return self.read(lambda c: overview.session_tree(c, session))

    def misses(self, ns_id: int, ids: list[UUID]) -> dict[UUID, Miss | None]:
        return self.read(lambda c: {id: _miss(c, ns_id, id) for id in ids})

    def caller(self, row: RequestRow) -> str | None:
        if row.parent_id is None or row.parent_call is None:
            return None
        parent, call = row.parent_id, row.parent_call
        return self.read(lambda c: overview.tools(c, row.ns_id, {call: parent})).get(call)

    def star(self, session: UUID, *, starred: bool) -> None:
        self.change(lambda c: stars.star(c, session, actor(), starred=starred))

    def events(self, *, limit: int) -> list[EventRow]:
        return self.read(lambda c: reads.events(c, limit=limit))

    def totals(self, since: datetime) -> Totals:
        return self.read(
            lambda c: Totals(
                running=progress.running(c),
                cost_today=progress.spent_since(c, since),
                stored=progress.stored(c),
                losses=progress.losses(c, datetime.now(UTC) - DAY),
            )
        )

    def read[T](self, read: Callable[[Any], T]) -> T:
        """With a connection of SQLAlchemy."""
        with self.database() as database, database.connect() as connection:
            return read(connection)

    def change[T](self, change: Callable[[Any], T]) -> T:
        """With a connection of psycopg, which may write."""
        with self.database() as database, database.raw() as connection:
            return change(connection)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Whatever goes wrong with it becomes a LlmproxyError: the screen says so and goes on."""
        database = self._database
        if database is None:
            raise DatabaseUnavailable("The database is not up yet.")
        try:
            yield database
        except LlmproxyError:
            raise
        except Exception as exc:  # a role that only reads, a connection that breaks
            raise StoreError(f"{database.where}: {exc}") from exc


def _miss(connection: Any, ns_id: int, id: UUID) -> Miss | None:
    try:
        return tree.miss(connection, ns_id, id)
    except StoreError:
        return None  # a damaged body: its call says so when it is opened
