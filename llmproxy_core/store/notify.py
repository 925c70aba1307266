"""NOTIFY: how the writer tells every screen what changed, and how a process hears it."""

import contextlib
import logging
import select
import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import psycopg

from llmproxy_core.errors import StoreError
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow

CHANNEL = "llmproxy"
WATCHERS = 0x6C6C6D10
"""The advisory lock that every Listener shares as long as it is connected: the worker hurries,
and writes down open answers, only while somebody holds it. Others may do as a Listener does:
`SELECT pg_advisory_lock_shared(1819045136)`."""
WATCH = f"SELECT pg_advisory_lock_shared({WATCHERS})"
NOBODY_WATCHES = f"SELECT pg_try_advisory_xact_lock({WATCHERS})"
"""True where the lock can be had alone; it is given back with the statement."""
PAYLOAD_BYTES = 7900
"""Postgres takes less than 8000."""
FIELDS = ("started", "streamed", "ended", "events", "anomalies", "approvals", "learning")
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)
CHECK_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Change:
    """What a NOTIFY says: ids of flows that began, streamed or ended in one batch; of anomalies that
    were found or whose status changed, and of calls that wait for a person or no longer do.
    `learning`: of patterns, enhancements and experiments of which there is news; NEWS: of others.

    `overflow`: there were too many to name; read again from the last id known. It is also how
    the first message after a reconnect looks.
    """

    started: list[UUID] = field(default_factory=list)
    streamed: list[UUID] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    events: list[UUID] = field(default_factory=list)
    anomalies: list[UUID] = field(default_factory=list)
    approvals: list[UUID] = field(default_factory=list)
    learning: list[UUID] = field(default_factory=list)
    overflow: bool = False
    flows: list[Flow] = field(default_factory=list)
    """Some of `started` and `ended` as they are now, where one process reads for many."""


type Callback = Callable[[Change], None]


def encode(change: Change) -> str:
    """JSON of base64'd ids; only `overflow` if there are too many of them (about 360)."""
    ids = {name: _pack(getattr(change, name)) for name in FIELDS if getattr(change, name)}
    payload = orjson.dumps(ids).decode()
    return payload if len(payload) <= PAYLOAD_BYTES and not change.overflow else '{"overflow":1}'


def decode(payload: str) -> Change:
    """A payload of somebody else's on this channel reads as `overflow`: look for yourself."""
    try:
        found = orjson.loads(payload)
        if "overflow" in found:
            return Change(overflow=True)
        change = Change()
        for name in FIELDS:
            setattr(change, name, _unpack(found.get(name, "")))
        return change
    except (ValueError, TypeError, AttributeError):
        return Change(overflow=True)


class Listener:
    """Hears every Change, in a thread of its own, and calls each callback there.

    Connects again for ever. The first Change after every connect, the first one included, has
    `overflow`: what happened in between has to be read. Callbacks must be quick and not raise.
    """

    def __init__(self, database: Database, *callbacks: Callback) -> None:
        self.connected = False
        self._database = database
        self._callbacks = list(callbacks)
        self._stop, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="llmproxy-listen", daemon=True)
        self._thread.start()

    def add(self, callback: Callback) -> None:
        self._callbacks.append(callback)

    def remove(self, callback: Callback) -> None:
        self._callbacks.remove(callback)

    def close(self) -> None:
        """Returns as soon as a callback that runs has ended; safe to call twice."""
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)
            self._waker.close()
            self._stop.close()

    def _run(self) -> None:
        attempt = 0
        while True:
            try:
                with self._database.raw() as connection:
                    connection.autocommit = True
                    connection.execute(f"LISTEN {CHANNEL}")
                    connection.execute(WATCH)
                    self.connected, attempt = True, 0
                    self._tell(Change(overflow=True))
                    if self._hear(connection):
                        return
            except (StoreError, psycopg.Error) as exc:
                log.debug("listening stopped: %s", exc)
            finally:
                self.connected = False
            if self._stopped(BACKOFF[min(attempt, len(BACKOFF) - 1)]):
                return
            attempt += 1

    def _hear(self, connection: psycopg.Connection[Any]) -> bool:
        """Until told to stop (True) or the connection breaks (psycopg.Error)."""
        while True:
            stop = self._stop.fileno()
            ready, _, _ = select.select([connection.fileno(), stop], [], [], CHECK_SECONDS)
            if stop in ready:
                return True
            if ready:
                for notice in connection.notifies(timeout=0):
                    self._tell(decode(notice.payload))
            else:
                connection.execute("SELECT 1")

    def _stopped(self, seconds: float) -> bool:
        return bool(select.select([self._stop], [], [], seconds)[0])

    def _tell(self, change: Change) -> None:
        for callback in list(self._callbacks):
            try:
                callback(change)
            except Exception:  # one deaf screen must not make the others deaf
                log.exception("a listener's callback failed")


def _pack(ids: Iterable[UUID]) -> str:
    return b64encode(b"".join(item.bytes for item in ids)).decode()


def _unpack(packed: str) -> list[UUID]:
    raw = b64decode(packed)
    return [UUID(bytes=raw[start : start + 16]) for start in range(0, len(raw), 16)]
