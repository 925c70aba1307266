"""The proxy's end of the spool."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import uuid_utils
import xxhash

from llmproxy_core.errors import SpoolError
from llmproxy_core.home import private_folder
from llmproxy_core.records import Closed, Event, Piece, Record, encode, without_body
from llmproxy_core.spool.room import Level, Limits, Room
from llmproxy_core.spool.segment import HEAD, MAGIC, MAX_RECORD, segment_path
from llmproxy_core.spool.wake import open_wake

SEGMENT_BYTES = 64 * 2**20
SEGMENTS = 16
"""A spool with a limit has at least so many: a segment is freed as a whole, and not the last."""
MAX_UNSYNCED = 4
TELL_SECONDS = 10.0
UNLIMITED = Limits()


@dataclass(slots=True)
class Lost:
    """What has not been told yet. `records` are gone, of others only the `bodies`."""

    records: int = 0
    bodies: int = 0
    bytes: int = 0


class SpoolWriter:
    """One proxy's end of the spool. Not thread-safe, but for `sync`.

    A full disk at the start is like one later on: records are counted as lost until there is room.
    Near one of the `limits` records are kept without their bodies, at it nothing is.

    Raises:
        SpoolError: on construction, if the folder cannot be made for any other reason.
    """

    def __init__(
        self, spool: Path, segment_bytes: int = SEGMENT_BYTES, limits: Limits = UNLIMITED
    ) -> None:
        self.id = uuid_utils.uuid7().hex
        self.folder = spool / self.id
        self.room = Room(spool, limits)
        self.lost: dict[str, Lost] = {}
        """By reason, see the event `gap` in `records.Event`."""
        self._tell_at = 0.0
        self._cut: set[bytes] = set()
        """Exchanges whose answer has lost a piece."""
        share = limits.max_bytes // SEGMENTS or segment_bytes
        self._segment_bytes = min(segment_bytes, share)
        self._segment = 0
        self._size = 0
        self._dirty = False
        self._unnamed = False
        """A segment is new: its name in the folder is not on the disk yet."""
        self._descriptor = self._lock = -1
        self._closed = False
        self._unsynced: list[int] = []
        self._swap = Lock()
        try:
            self._open()
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise SpoolError(f"{self.folder}: {exc.strerror or exc}") from exc
        self._wake = open_wake(spool / "wake")

    def append(self, record: Record, body: Sequence[bytes] = ()) -> bool:
        """Write one record; False if it, or its body, was lost (and counted).

        Of a body that comes in pieces nothing more is kept once a part of it was lost.
        """
        size = sum(map(len, body))
        cut = bool(self._cut) and self._was_cut(record)
        try:
            meta = encode(without_body(record) if cut else record)
            if HEAD.size + len(meta) + size > MAX_RECORD:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            level = self.room.take(HEAD.size + len(meta) + size, HEAD.size + len(meta))
            if self.lost:
                self._tell(level)
            if level != Level.NOTHING and not (size and (cut or level)):
                self._append(meta, body, size)
                return True
            if level != Level.NOTHING:
                self._append(encode(without_body(record)), (), 0)
        except (OSError, UnicodeEncodeError):  # a lone surrogate, which nobody should have let in
            self._lose("unwritable", record, size, whole=True)
            return False
        self._lose(self.room.reason, record, size, whole=level == Level.NOTHING)
        return False

    @property
    def lost_records(self) -> int:
        """Records that could not be written, and have not been told yet."""
        return sum(lost.records for lost in self.lost.values())

    def wake(self) -> None:
        """Tell the worker that there is something to read."""
        if self._wake >= 0:
            # full: the worker has been told often enough; and it looks by itself, too
            with contextlib.suppress(OSError):
                os.write(self._wake, b"\0")

    def sync(self) -> None:
        """Make what was written survive a crash of the machine. May be called from any thread.

        Raises:
            OSError: the disk failed.
        """
        if not self._dirty:
            return
        with self._swap:  # `append` may change to the next segment meanwhile
            if self._descriptor < 0:
                return
            self._dirty = False
            due, self._unsynced = [*self._unsynced, os.dup(self._descriptor)], []
            unnamed, self._unnamed = self._unnamed, False
        try:
            for descriptor in due:
                os.fdatasync(descriptor)
            if unnamed:
                _sync_folders(self.folder, self.folder.parent)
        finally:
            for descriptor in due:
                os.close(descriptor)

    def close(self) -> None:
        """Let go of the journal; a reader that has read all of it may then remove it."""
        with contextlib.suppress(OSError):  # still no room: the number is lost, too
            self._tell_gap()
        with self._swap:
            for descriptor in (*self._unsynced, self._descriptor, self._lock, self._wake):
                if descriptor >= 0:
                    os.close(descriptor)
            self._unsynced = []
            self._dirty, self._closed = False, True
            self._descriptor = self._lock = self._wake = -1

    def _append(self, meta: bytes, body: Sequence[bytes], size: int) -> None:
        digest = xxhash.xxh3_64(meta)
        for part in body:
            digest.update(part)
        head = HEAD.pack(len(meta), size, digest.intdigest())
        self._write([head, meta, *body], HEAD.size + len(meta) + size)

    def _lose(self, reason: str, record: Record, size: int, *, whole: bool) -> None:
        if isinstance(record, Piece):
            self._cut.add(record.id)
        if not self.lost:
            self._tell_at = max(self._tell_at, time.monotonic() + TELL_SECONDS / 10)
        lost = self.lost.setdefault(reason or "unwritable", Lost())
        lost.records += whole
        lost.bodies += not whole and size > 0
        lost.bytes += size

    def _was_cut(self, record: Record) -> bool:
        if record.id not in self._cut:
            return False
        if isinstance(record, Closed):
            self._cut.discard(record.id)
        return True

    def _open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self._lock < 0:
            self._lock = self._make()
        self._rotate()

    def _make(self) -> int:
        """The folder, and its lock, held."""
        aside = self.folder.with_name(f".{self.id}")
        private_folder(aside)
        lock = os.open(aside / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            aside.rename(self.folder)
        except OSError:
            os.close(lock)
            raise
        return lock

    def _write(self, parts: list[bytes], size: int) -> None:
        if self._descriptor < 0:
            self._open()
        elif self._size + size > self._segment_bytes and self._size > len(MAGIC):
            self._rotate()
        if len(parts) > 64:
            parts = [b"".join(parts)]
        try:
            written = os.writev(self._descriptor, parts)
            if written != size:
                self._write_rest(b"".join(parts)[written:])
        except OSError:
            self._take_back()
            raise
        self._size += size
        self._dirty = True

    def _write_rest(self, rest: bytes) -> None:
        """A single writev stops at 2 GiB, at a signal, or where the disk is full."""
        view = memoryview(rest)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _take_back(self) -> None:
        """Cut off half a record; where even that fails, go on in another segment."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._size = self._segment_bytes + 1
            raise

    def _rotate(self) -> None:
        path = segment_path(self.folder, self._segment + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        descriptor = os.open(path, flags, 0o600)
        try:
            if os.write(descriptor, MAGIC) != len(MAGIC):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        with self._swap:
            if self._descriptor >= 0:
                self._retire(self._descriptor)
            self._descriptor, self._segment, self._size = descriptor, self._segment + 1, len(MAGIC)
            self._unnamed = True

    def _retire(self, descriptor: int) -> None:
        """`sync` still has to see a full segment; where nobody calls it, few are kept open."""
        self._unsynced.append(descriptor)
        if len(self._unsynced) > MAX_UNSYNCED:
            os.close(self._unsynced.pop(0))

    def _tell(self, level: Level) -> None:
        """Raises OSError while the disk is still full."""
        if level == Level.NOTHING or (level and time.monotonic() < self._tell_at):
            return
        self._tell_gap()
        self._tell_at = time.monotonic() + TELL_SECONDS

    def _tell_gap(self) -> None:
        for reason, lost in list(self.lost.items()):
            data: dict[str, str | int | float | bool | None] = {
                "reason": reason,
                "records": lost.records,
                "bodies": lost.bodies,
                "bytes": lost.bytes,
            }
            event = Event(uuid_utils.uuid7().bytes, time.time_ns(), "gap", data)
            self._append(encode(event), (), 0)
            del self.lost[reason]


def _sync_folders(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
