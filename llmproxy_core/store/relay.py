"""One listener a host: the first process listens and reads, the others are told by it.

A hundred screens that each listen and each read every change are a hundred times the work for the
database. So whoever gets the lock beside the socket in the home folder is the teller: it hears the
notifications, reads the rows that changed, once, and sends both to all who are connected. When it
goes, the next one takes its place; who was away hears an `overflow` first, and reads what it missed.
A screen that does not keep up is let go, and so connects again.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import queue
import select
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.notify import BACKOFF, FIELDS, Callback, Change, Listener

LENGTH = struct.Struct(">I")
SOCKET_BYTES = 103
SENT_ROWS = 200
"""More changes at once are told without their rows."""
QUEUED_BYTES = 2**20
RETRY = 0.05
CHECK = 0.25

type Read = Callable[[list[UUID]], list[Flow]]

log = logging.getLogger(__name__)


def listen(database: Database, folder: Path, read: Read, callback: Callback) -> "Relay | Listener":
    """Hear every Change as a `Listener` does, with its `flows` where somebody has read them.

    `folder`: private to this user; `read`: the flows of some ids, raises LlmproxyError.
    """
    name = hashlib.blake2b(database.url.encode(), digest_size=6).hexdigest()
    path = folder / f"listen-{name}"
    if len(os.fsencode(path)) > SOCKET_BYTES - 5:
        return Listener(database, callback)
    return Relay(database, path, read, callback)


class Relay:
    """Teller or told, until `close`. Calls `callback` in a thread of its own."""

    def __init__(self, database: Database, path: Path, read: Read, callback: Callback) -> None:
        self.connected = False
        self.teller = False
        self._database = database
        self._socket = path.with_suffix(".sock")
        self._lock = path.with_suffix(".lock")
        self._read = read
        self._callback = callback
        self._stop, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="llmproxy-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns as soon as a callback that runs has ended; safe to call twice."""
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")
        self._thread.join(timeout=10)
        self._waker.close()
        self._stop.close()

    def _run(self) -> None:
        attempt = 0
        while True:
            try:
                stopped = self._take_part()
                attempt = 0
            except OSError as exc:
                log.debug("nobody tells of changes: %s", exc)
                stopped, attempt = False, attempt + 1
            self.connected = self.teller = False
            pause = BACKOFF[min(attempt, len(BACKOFF) - 1)] if attempt else RETRY
            if stopped or select.select([self._stop], [], [], pause)[0]:
                return

    def _take_part(self) -> bool:
        """Until told to stop (True), or the teller is gone."""
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._hear()
            self.teller = True
            return self._tell_all()

    def _hear(self) -> bool:
        with socket.socket(socket.AF_UNIX) as teller:
            teller.connect(str(self._socket))
            self.connected = True
            self._callback(Change(overflow=True))
            frames = _Frames()
            while True:
                ready, _, _ = select.select([teller, self._stop], [], [])
                if self._stop in ready:
                    return True
                if not (data := teller.recv(2**16)):
                    return False
                for frame in frames.feed(data):
                    self._callback(msgspec.msgpack.decode(frame, type=Change))

    def _tell_all(self) -> bool:
        with socket.socket(socket.AF_UNIX) as door, _Changes(self._database) as changes:
            with contextlib.suppress(FileNotFoundError):
                self._socket.unlink()
            door.bind(str(self._socket))
            door.listen(256)
            audience: list[socket.socket] = []
            waited: list[Any] = [door, changes, self._stop]
            try:
                while True:
                    ready, _, _ = select.select(waited, [], [], CHECK)
                    if self._stop in ready:
                        return True
                    if door in ready:
                        audience.append(_welcome(door))
                    if changes in ready:
                        for change in changes.take():
                            self._tell(change, audience)
                    self.connected = changes.listener.connected
                    if not self.connected:
                        _dismiss(audience)
            finally:
                _dismiss(audience)

    def _tell(self, change: Change, audience: list[socket.socket]) -> None:
        ids = list(dict.fromkeys((*change.started, *change.ended)))
        if 0 < len(ids) <= SENT_ROWS:
            with contextlib.suppress(LlmproxyError):  # then everybody reads for himself
                change.flows = self._read(ids)
        self._callback(change)
        if not audience:
            return
        data = msgspec.msgpack.encode(change)
        frame = LENGTH.pack(len(data)) + data
        for one in list(audience):
            if not _sent(one, frame):
                one.close()
                audience.remove(one)


class _Changes:
    """What a Listener hears, for `select`: several at once become one."""

    def __init__(self, database: Database) -> None:
        self._heard: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._ear, self._mouth = socket.socketpair()
        self.listener = Listener(database, self._put)

    def fileno(self) -> int:
        return self._ear.fileno()

    def take(self) -> list[Change]:
        self._ear.recv(4096)
        together = Change()
        while not self._heard.empty():
            change = self._heard.get()
            for name in FIELDS:
                getattr(together, name).extend(getattr(change, name))
            together.overflow |= change.overflow
        return [] if together == Change() else [together]

    def __enter__(self) -> "_Changes":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self._ear.close()
        self._mouth.close()

    def _put(self, change: Change) -> None:
        self._heard.put(change)
        self._mouth.send(b"\0")


class _Frames:
    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole by now."""
        self._data += data
        found = []
        while len(self._data) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._data)[0]
            if len(self._data) < end:
                break
            found.append(bytes(self._data[LENGTH.size : end]))
            del self._data[:end]
        return found


def _welcome(door: socket.socket) -> socket.socket:
    guest, _ = door.accept()
    guest.setblocking(False)
    guest.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUED_BYTES)
    return guest


def _dismiss(audience: list[socket.socket]) -> None:
    """Nothing is heard of the database: let them find out for themselves."""
    for one in audience:
        one.close()
    audience.clear()


def _sent(guest: socket.socket, frame: bytes) -> bool:
    try:
        return guest.send(frame) == len(frame)
    except OSError:
        return False
