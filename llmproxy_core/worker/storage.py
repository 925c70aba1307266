"""What the worker needs of the store, and the store behind it: connected anew where it broke."""

import time
from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.policies import Policies
from llmproxy_core.store import recall, unjudged
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.store.guard_rows import UnjudgedRow
from llmproxy_core.store.migrate import upgrade
from llmproxy_core.store.writer import Writer
from llmproxy_core.worker.cases import Case
from llmproxy_core.worker.housekeeping import Housekeeping
from llmproxy_core.worker.moments import moment, nanoseconds
from llmproxy_core.worker.notices import Notices
from llmproxy_core.worker.recollection import Recollection
from llmproxy_core.worker.rereading import reread
from llmproxy_core.worker.rules import RuleKeeper
from llmproxy_core.worker.school import DatabaseSchool
from llmproxy_core.worker.sessions import Memory, Span
from llmproxy_core.worker.telling import Telling

LOOK_SECONDS = 1.0
"""How often to ask whether anybody watches."""


class Storage(Memory, Protocol):
    """All of it raises DatabaseUnavailable, or another StoreError."""

    def offsets(self) -> dict[str, OffsetRow]: ...
    def namespace(self, name: str) -> int: ...
    def sessions_of_requests(self, keys: Iterable[tuple[int, UUID]]) -> dict[UUID, Span]: ...
    def watched(self) -> bool:
        """Does anybody look at what is being stored? As of a second ago."""
        ...

    def write(self, batch: Batch) -> object: ...


class DatabaseStorage(Recollection):
    """Connects when it is asked for something; the embedded server is started, if it is ours."""

    def __init__(self, config: Config, home: Home) -> None:
        self._config = config
        self._home = home
        self._database: Database | None = None
        self._writer: Writer | None = None
        self._housekeeping = Housekeeping(config.retention.days)
        self._rules = RuleKeeper(config, home, self.write)
        self._names: dict[int, str] = {}
        self._notices = Notices(config.webhooks, str(home.path), self.namespace_name)
        self._telling = Telling(config.webhooks, str(home.path))
        self._watched = False
        self._look_at = 0.0

    def connect(self) -> str:
        """Where we are connected to. Migrates the schema. Raises StoreError, ConfigError."""
        return self._connected()[0].where

    def offsets(self) -> dict[str, OffsetRow]:
        return self._connected()[1].offsets()

    def namespace(self, name: str) -> int:
        return self._connected()[1].namespace(name)

    def watched(self) -> bool:
        if time.monotonic() >= self._look_at:
            self._watched = self._connected()[1].watched()
            self._look_at = time.monotonic() + LOOK_SECONDS
        return self._watched

    def write(self, batch: Batch) -> object:
        self._notices.note(batch)
        return self._connected()[1].write(batch)

    def namespace_name(self, ns_id: int) -> str:
        """The name that it has now; a new one is seen after a restart."""
        if ns_id not in self._names:
            with self._connected()[0].connect() as connection:
                self._names[ns_id] = unjudged.namespace(connection, ns_id)
        return self._names[ns_id]

    def sessions_of_requests(self, keys: Iterable[tuple[int, UUID]]) -> dict[UUID, Span]:
        with self._connected()[0].connect() as connection:
            found = recall.sessions_of_requests(connection, keys)
        return {id: _span(row) for id, row in found.items()}

    def recent_sessions(self, ns_id: int, source: str, since: int) -> Sequence[Span]:
        with self._connected()[0].connect() as connection:
            found = recall.recent_sessions(connection, ns_id, source, moment(since))
        return [_span(row) for row in found]

    def database(self) -> Database:
        return self._connected()[0]

    def housekeep(self) -> None:
        """Hourly, in a thread of its own."""
        database, writer = self._connected()
        if self._housekeeping.look(database):
            writer.forget()

    def keep_rules(self) -> None:
        """Once a second: namespaces of `mitm.toml` into the table, those of the table to proxies."""
        self._rules.look(self._connected()[0])
        self._telling.start(self._connected()[0])

    def unjudged(self, home: str, limit: int) -> Sequence[UnjudgedRow]:
        with self._connected()[0].connect() as connection:
            return unjudged.oldest(connection, home, limit)

    def case(self, row: UnjudgedRow, policies: Policies) -> Case | None:
        return reread(self._connected()[0], row, policies)

    @property
    def school(self) -> DatabaseSchool:
        """Raises DatabaseUnavailable."""
        return DatabaseSchool(self._connected()[0], self._config.retention.days)

    def reconnect(self) -> None:
        """After a failure: make sure that an embedded server runs. Raises DatabaseUnavailable."""
        if self._database is not None:
            self._database.reconnect()

    def close(self) -> None:
        self._housekeeping.stop()
        self._telling.stop()
        if self._writer is not None:
            self._writer.close()
        if self._database is not None:
            self._database.close()
        self._writer = self._database = None

    def _connected(self) -> tuple[Database, Writer]:
        if self._database is None or self._writer is None:
            database = open_database(self._config, self._home, "llmproxy worker")
            try:
                upgrade(database)
            except BaseException:
                database.close()
                raise
            self._database, self._writer = database, Writer(database)
        return self._database, self._writer


def _span(row: recall.SessionSpan) -> Span:
    return Span(row.id, nanoseconds(row.started_at), nanoseconds(row.last_at))
