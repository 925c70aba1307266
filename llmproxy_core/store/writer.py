"""The worker's way into the store: a batch is one transaction, offsets of the journal included."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps

from llmproxy_core.errors import DatabaseUnavailable, SchemaError, StoreError
from llmproxy_core.store import (
    configuration,
    deliveries,
    findings,
    lessons,
    notify,
    pattern_days,
    policies,
    repeats,
    rollups,
    statements,
    unjudged,
)
from llmproxy_core.store.archive import Archive
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import EventRow, OffsetRow, RequestRow, ResponseRow, ToolCallRow
from llmproxy_core.store.columns import (
    EVENTS,
    REQUESTS,
    RESPONSES,
    TOOL_CALLS,
    event_values,
    request_values,
    response_values,
    tool_call_values,
)
from llmproxy_core.store.copying import Copier
from llmproxy_core.store.database import MISSING, Database
from llmproxy_core.store.index import WeekIndexes, store_words
from llmproxy_core.store.models import Models
from llmproxy_core.store.notify import Change
from llmproxy_core.store.partitions import KnownWeeks
from llmproxy_core.store.refusals import REFUSED, Refusals
from llmproxy_core.store.values import clean

log = logging.getLogger(__name__)

type PgConnection = psycopg.Connection[TupleRow]

WRITE_TIMEOUT = "SET statement_timeout = '120s'"


class Writer:
    """Writes batches, over one connection of its own; made anew when it breaks. Not thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: PgConnection | None = None
        self._archive = Archive()
        self._namespaces: dict[str, int] = {}
        self._weeks = KnownWeeks()
        self._copier = Copier()
        self._ledger = rollups.ledger()
        self._pattern_ledger = pattern_days.ledger()
        self._index = WeekIndexes()
        self._models = Models()

    def write(self, batch: Batch) -> Change:
        """Store all of the batch or nothing of it, and notify.

        A row that Postgres refuses is stored without what was read out of it, and told in an
        event `row_refused`; it does not hold up the others.

        Raises:
            DatabaseUnavailable: try again later. The transaction may have been committed even so
                (the connection broke just then): ask `offsets()` before writing the batch again.
            StoreError: the store cannot take anything, e.g. its schema is another one.
        """
        try:
            change = self._store(batch)
            self._ledger.commit()
            self._pattern_ledger.commit()
        except BaseException:
            self._ledger.doubt()
            self._pattern_ledger.doubt()
            self._models.doubt()
            self._archive.forget()
            raise
        self._index.grow(self._connected(), len(batch.search))
        return change

    def _store(self, batch: Batch) -> Change:
        if any(event.kind == repeats.UNMATCHED for event in batch.events):
            batch = self._without_repeats(batch)
        batch = replace(batch, search=self._index.spare(batch.search, batch.responses))
        change = _change(batch)
        try:
            self._make_weeks(batch)
            with self._transaction() as connection:
                self._write(connection, batch, change)
                self._finish(connection, batch, change)
        except REFUSED as exc:
            if isinstance(exc, psycopg.errors.UniqueViolation):
                self._archive.forget()
                if (rest := self._without_repeats(batch)) is not batch:
                    return self._store(rest)
            self._archive.forget()
            self._weeks.forget()
            self._make_weeks(batch)
            with self._transaction() as connection:
                refusals = Refusals(connection, self)
                change.anomalies = refusals.write(batch)
                lost = refusals.lost
                if not refusals.derived(
                    batch, lambda: self._write_derived(connection, batch, lost)
                ):
                    self._ledger.doubt()
                    self._models.doubt()
                if not refusals.lessons(batch, lambda: self._learn(connection, batch)):
                    self._pattern_ledger.doubt()
                change.events += refusals.event_ids
                self._finish(connection, batch, change)
        return change

    def offsets(self) -> dict[str, OffsetRow]:
        """Where to go on, by writer. Waits until no other transaction is writing."""
        with self._transaction() as connection:
            connection.execute(statements.WAIT_FOR_WRITERS)
            rows = connection.execute(statements.OFFSETS).fetchall()
        return {row[0]: OffsetRow(*row) for row in rows}

    def watched(self) -> bool:
        """Does anybody listen? See `notify.WATCHERS`."""
        with self._transaction() as connection:
            alone = connection.execute(notify.NOBODY_WATCHES).fetchone()
        return alone != (True,)

    def namespace(self, name: str) -> int:
        """The id of a namespace, made if it is new."""
        if name not in self._namespaces:
            with self._transaction() as connection:
                named = {"name": clean(name)}
                connection.execute(statements.LOCK_NAMESPACES)
                connection.execute(statements.ADD_NAMESPACE, named)
                found = connection.execute(statements.NAMESPACE, named).fetchone()
            self._namespaces[name] = found[0] if found else 1
        return self._namespaces[name]

    def forget(self) -> None:
        """Take nothing of the past for stored: weeks have been removed."""
        self._weeks.forget()
        self._archive.forget()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def copy_requests(self, connection: PgConnection, rows: Iterable[RequestRow]) -> None:
        with self._archive.storing():
            values = [request_values(row, self._archive.request(row)) for row in rows]
            self._archive.store_blobs(connection)
            self._copier.copy(connection, "requests", REQUESTS, values)

    def copy_responses(
        self, connection: PgConnection, rows: Iterable[ResponseRow], calls: Sequence[ToolCallRow]
    ) -> None:
        names: dict[UUID, list[str]] = {}
        for call in calls:
            names.setdefault(call.request_id, []).append(call.name)
        with self._archive.storing():
            values = [
                response_values(row, names.get(row.id, ()), self._archive.response(row))
                for row in rows
            ]
            self._archive.store_blobs(connection)
            self._copier.copy(connection, "responses", RESPONSES, values)

    def copy_tool_calls(self, connection: PgConnection, rows: Iterable[ToolCallRow]) -> None:
        self._copier.copy(connection, "tool_calls", TOOL_CALLS, map(tool_call_values, rows))

    def copy_events(self, connection: PgConnection, rows: Iterable[EventRow]) -> None:
        self._copier.copy(connection, "analytics_events", EVENTS, map(event_values, rows))

    def _make_weeks(self, batch: Batch) -> None:
        """In a transaction of its own: the batch's would hold the locks until its end."""
        ids = _ids(batch)
        if self._weeks.missing(ids):
            with self._transaction() as connection:
                self._weeks.ensure(connection, ids)

    def _without_repeats(self, batch: Batch) -> Batch:
        """The batch itself if nothing of it is stored."""
        with self._transaction() as connection:
            found = repeats.find(connection, batch)
            repeats.drop_deltas(connection, batch, found)
        if not found:
            return batch
        log.info(f"{len(found)} rows are stored already")
        return repeats.without(batch, found)

    def _write(self, connection: PgConnection, batch: Batch, change: Change) -> None:
        if batch.requests:
            self.copy_requests(connection, batch.requests)
        if batch.responses:
            self.copy_responses(connection, batch.responses, batch.tool_calls)
        if calls := _calls_apart(batch):
            self.copy_tool_calls(connection, calls)
        if batch.events:
            self.copy_events(connection, batch.events)
        statements.add_to_sessions(connection, batch.sessions)
        statements.add_deltas(connection, batch)
        stored = findings.add_anomalies(connection, batch.anomalies)
        change.anomalies = list(dict.fromkeys(stored.values()))
        findings.add_decisions(connection, batch.decisions, stored)
        findings.add_approvals(connection, batch.approvals)
        self._write_derived(connection, batch)
        lessons.write(connection, batch.lessons)
        self._learn(connection, batch)

    def _write_derived(
        self, connection: PgConnection, batch: Batch, without: Collection[UUID] = ()
    ) -> None:
        """Rollups and search, of answers that are stored by now: not of those `without`."""
        self._models.write(connection, batch)
        if batch.search:
            found = [row for row in batch.search if row.id not in without]
            store_words(connection, found, self._copier)
        if batch.rollups:
            self._ledger.write(connection, [row for row in batch.rollups if row.id not in without])

    def _learn(self, connection: PgConnection, batch: Batch) -> None:
        sums = lessons.take(connection, batch.lessons)
        self._pattern_ledger.write(connection, sums)

    def _finish(self, connection: PgConnection, batch: Batch, change: Change) -> None:
        configuration.note(connection, batch.events)
        statements.drop_deltas(connection, batch.responses)
        statements.store_offsets(connection, batch)
        unjudged.add(connection, batch.unjudged)
        unjudged.drop(connection, batch.judged)
        deliveries.add(connection, batch.deliveries)
        if change != Change():
            connection.execute(statements.NOTIFY, [notify.CHANNEL, notify.encode(change)])

    @contextmanager
    def _transaction(self) -> Iterator[PgConnection]:
        try:
            connection = self._connected()
            with connection.transaction():
                connection.execute(statements.AM_WRITING)
                yield connection
        except REFUSED:
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError) as exc:
            self.close()
            raise DatabaseUnavailable(f"{self._database.where}: {_reason(exc)}") from exc
        except MISSING as exc:
            raise SchemaError(
                f"{self._database.where}: {_reason(exc)}. Run `llmproxy db upgrade`."
            ) from exc
        except psycopg.Error as exc:
            self.close()
            raise StoreError(f"{self._database.where}: {_reason(exc)}") from exc

    def _connected(self) -> PgConnection:
        if self._connection is None or self._connection.closed:
            connection = self._database.raw()
            connection.autocommit = True
            connection.execute(WRITE_TIMEOUT)
            self._copier = Copier(restricted=policies.restricted(connection))
            set_json_dumps(lambda dumped: dumped, connection)  # values come as JSON text
            self._connection = connection
        return self._connection


def _change(batch: Batch) -> Change:
    ended = {row.id for row in batch.responses}
    streamed = {row.request_id for row in batch.deltas} - ended
    return Change(
        started=[row.id for row in batch.requests],
        streamed=sorted(streamed),
        ended=[row.id for row in batch.responses],
        events=[row.id for row in batch.events],
        approvals=[row.request_id for row in batch.approvals],
        learning=lessons.told(batch.lessons),
    )


def _calls_apart(batch: Batch) -> list[ToolCallRow]:
    """Those that cannot be read again in their answers."""
    rereadable = {row.id for row in batch.responses if row.rereadable}
    return [row for row in batch.tool_calls if row.request_id not in rereadable]


def _ids(batch: Batch) -> list[UUID]:
    """Those that decide in which week a row belongs."""
    ids = [row.id for row in batch.requests]
    ids += [row.id for row in batch.responses]
    ids += [row.id for row in batch.events]
    ids += [row.request_id for row in batch.decisions]
    ids += batch.lessons.ids
    return ids + [row.request_id for row in batch.tool_calls]


def _reason(exc: psycopg.Error) -> str:
    return exc.diag.message_primary or str(exc).strip() or type(exc).__name__
