"""The local journal between a proxy and the worker: append-only segments, one folder a writer.

    spool/<writer>/lock            held (flock) as long as the writer lives
    spool/<writer>/00000001.seg    magic, then records

A record is a head (lengths of its two parts, xxh3-64 of both), the record itself (msgpack) and
the bytes of a body that travel beside it. A record is appended with one `writev`: what was
written survives kill -9 of the process at once, and a crash of the machine after `sync`. A record
that was cut by a crash is the last of its segment and is not read.

A journal is made aside and renamed when it is locked, so that no reader takes a journal that is
just being made for one whose writer has died. A segment is whole as soon as the next one has its
magic; what cannot be read in a whole segment is reported as a `gap` with `reason: damaged`.

Fails open: where a record cannot be written (disk full), `append` counts it and says so in a
`gap` event as soon as writing works again; the traffic goes on.
"""

import contextlib
import errno
import fcntl
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import msgspec
import uuid_utils
import xxhash

from llmproxy_core.errors import SpoolError
from llmproxy_core.home import private_folder
from llmproxy_core.records import Event, Record, decode, encode

MAGIC = b"LLMPSP01"
HEAD = struct.Struct("<IIQ")
SEGMENT_BYTES = 64 * 2**20
MAX_RECORD = 2**31
READ_BYTES = 2**20
MAX_UNSYNCED = 4


class Position(NamedTuple):
    """A place in one writer's journal; compares in the order of writing."""

    segment: int
    offset: int


START = Position(1, len(MAGIC))


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.seg"


def segments(folder: Path) -> list[int]:
    """The numbers of a writer's segments, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.seg") if path.stem.isdigit())


class SpoolWriter:
    """One proxy's end of the spool. Not thread-safe, but for `sync`.

    A full disk at the start is like one later on: records are counted as lost until there is room.

    Raises:
        SpoolError: on construction, if the folder cannot be made for any other reason.
    """

    def __init__(self, spool: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.id = uuid_utils.uuid7().hex
        self.folder = spool / self.id
        self.lost_records = 0
        self.lost_bytes = 0
        self._segment_bytes = segment_bytes
        self._segment = 0
        self._size = 0
        self._dirty = False
        self._descriptor = self._lock = -1
        self._closed = False
        self._unsynced: list[int] = []
        self._swap = Lock()
        try:
            self._open()
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise SpoolError(f"{self.folder}: {exc.strerror or exc}") from exc
        self._wake = _open_wake(spool / "wake")

    def append(self, record: Record, body: Sequence[bytes] = ()) -> bool:
        """Write one record; False if it was lost (and counted)."""
        size = sum(map(len, body))
        try:
            meta = encode(record)
            digest = xxhash.xxh3_64(meta)
            for part in body:
                digest.update(part)
            if len(meta) + size + HEAD.size > MAX_RECORD:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            head = HEAD.pack(len(meta), size, digest.intdigest())
            if self.lost_records:
                self._tell_gap()
            self._write([head, meta, *body], HEAD.size + len(meta) + size)
        except (OSError, UnicodeEncodeError):  # a lone surrogate, which nobody should have let in
            self.lost_records += 1
            self.lost_bytes += size
            return False
        return True

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
        try:
            for descriptor in due:
                os.fdatasync(descriptor)
        finally:
            for descriptor in due:
                os.close(descriptor)

    def close(self) -> None:
        """Let go of the journal; a reader that has read all of it may then remove it."""
        if self.lost_records:
            with contextlib.suppress(OSError):  # still no room: the number is lost, too
                self._tell_gap()
        with self._swap:
            for descriptor in (*self._unsynced, self._descriptor, self._lock, self._wake):
                if descriptor >= 0:
                    os.close(descriptor)
            self._unsynced = []
            self._dirty, self._closed = False, True
            self._descriptor = self._lock = self._wake = -1

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

    def _retire(self, descriptor: int) -> None:
        """`sync` still has to see a full segment; where nobody calls it, few are kept open."""
        self._unsynced.append(descriptor)
        if len(self._unsynced) > MAX_UNSYNCED:
            os.close(self._unsynced.pop(0))

    def _tell_gap(self) -> None:
        """Raises OSError while the disk is still full."""
        data: dict[str, str | int | float | bool | None] = {
            "records": self.lost_records,
            "bytes": self.lost_bytes,
        }
        meta = encode(Event(uuid_utils.uuid7().bytes, time.time_ns(), "gap", data))
        head = HEAD.pack(len(meta), 0, xxhash.xxh3_64_intdigest(meta))
        self._write([head, meta], HEAD.size + len(meta))
        self.lost_records = self.lost_bytes = 0


@dataclass(slots=True)
class Entry:
    """A record as read: `start` is where it begins, `end` where the next one will."""

    start: Position
    end: Position
    record: Record
    body: bytes


class SpoolReader:
    """The worker's end of one writer's journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    def writer_alive(self) -> bool:
        """Whether the process that writes here still runs."""
        try:
            descriptor = os.open(self.folder / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def read(self, position: Position) -> Iterator[Entry]:
        """The records from `position` up to the last whole one, across segments.

        Stops at an incomplete record: it is still being written, or was cut by a crash. In a
        segment that has a follower it is damage, and read as a `gap` event in its place.

        Raises:
            SpoolError: a segment is not one of ours.
        """
        numbers = [number for number in segments(self.folder) if number >= position.segment]
        for number, following in zip(numbers, [*numbers[1:], 0], strict=True):
            # asked before reading: a segment gets nothing more once its follower has begun
            whole = following > 0 and _begun(segment_path(self.folder, following))
            at = position if number == position.segment else Position(number, len(MAGIC))
            path = segment_path(self.folder, number)
            for entry in _read_segment(path, at):
                yield entry
                at = entry.end
            if not whole:
                return
            if (lost := path.stat().st_size - at.offset) > 0:
                yield _damage(self.id, at, Position(following, len(MAGIC)), lost)

    def backlog(self, position: Position) -> int:
        """Bytes written and not yet read."""
        total = 0
        for number in segments(self.folder):
            if number >= position.segment:
                size = segment_path(self.folder, number).stat().st_size
                total += size - (position.offset if number == position.segment else len(MAGIC))
        return max(0, total)

    def thin_out(self, number: int, keep: Callable[[Record], bool]) -> None:
        """Write a whole segment anew with those of its records that are still needed.

        The offsets of the records change, their order and their segment do not. Raises OSError.
        """
        path = segment_path(self.folder, number)
        temporary = path.with_suffix(".thin")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(MAGIC)
            for entry in _read_segment(path, Position(number, len(MAGIC))):
                if keep(entry.record):
                    file.writelines(_framed(entry.record, entry.body))
            file.flush()
            os.fdatasync(file.fileno())
        temporary.replace(path)

    def remove_before(self, position: Position) -> None:
        """Drop the segments that lie wholly before `position`."""
        for number in segments(self.folder):
            if number < position.segment:
                segment_path(self.folder, number).unlink(missing_ok=True)

    def remove(self) -> None:
        """Drop the whole journal. Call only when its writer is gone and all of it is stored."""
        for path in (*self.folder.glob("*.seg"), *self.folder.glob("*.thin")):
            path.unlink(missing_ok=True)
        (self.folder / "lock").unlink(missing_ok=True)
        self.folder.rmdir()


def readers(spool: Path) -> list[SpoolReader]:
    """One reader for every journal, the oldest first."""
    names = sorted(name for name in os.listdir(spool) if not name.startswith("."))
    return [SpoolReader(spool / name) for name in names if (spool / name).is_dir()]


def _framed(record: Record, body: bytes) -> tuple[bytes, bytes, bytes]:
    meta = encode(record)
    digest = xxhash.xxh3_64(meta)
    digest.update(body)
    return HEAD.pack(len(meta), len(body), digest.intdigest()), meta, body


def _begun(path: Path) -> bool:
    try:
        return path.stat().st_size >= len(MAGIC)
    except FileNotFoundError:
        return False


def _damage(writer: str, start: Position, end: Position, lost: int) -> Entry:
    """The same place always gives the same event: the time is that of the journal's beginning."""
    place = f"{writer} {start.segment} {start.offset}".encode()
    at = int(writer[:12], 16) * 10**6 if len(writer) == 32 else 0
    data: dict[str, str | int | float | bool | None] = {"reason": "damaged", "bytes": lost}
    return Entry(start, end, Event(xxhash.xxh3_128_digest(place), at, "gap", data), b"")


def _read_segment(path: Path, start: Position) -> Iterator[Entry]:
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    with file:
        descriptor = file.fileno()
        magic = os.pread(descriptor, len(MAGIC), 0)
        if len(magic) < len(MAGIC):
            return
        if magic != MAGIC:
            raise SpoolError(f"{path}: not a spool segment of this version of llmproxy")
        block, at = b"", start
        while True:
            entry, want = _entry(block, at.offset - start.offset, start)
            if entry is not None:
                yield entry
                at = entry.end
                continue
            rest = os.fstat(descriptor).st_size - at.offset
            have = len(block) - (at.offset - start.offset)
            if want > rest or have >= rest:
                return
            start = at
            block = _pread(descriptor, max(want, READ_BYTES), at.offset)


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes: a single pread stops at 2 GiB."""
    parts = []
    while size > 0 and (part := os.pread(descriptor, size, offset)):
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _entry(block: bytes, index: int, start: Position) -> tuple[Entry | None, int]:
    """The record at `block[index:]`, or None and how many bytes of it there must be to read it.

    `start` is where the block begins. No number of bytes helps a record that is damaged.
    """
    if len(block) - index < HEAD.size:
        return None, HEAD.size
    meta_size, body_size, expected = HEAD.unpack_from(block, index)
    size = HEAD.size + meta_size + body_size
    if size > MAX_RECORD:
        return None, sys.maxsize
    if len(block) - index < size:
        return None, size
    view = memoryview(block)[index + HEAD.size : index + size]
    if xxhash.xxh3_64_intdigest(view) != expected:
        return None, sys.maxsize
    try:
        record = decode(view[:meta_size])
    except msgspec.DecodeError:
        return None, sys.maxsize
    begin = start.offset + index
    entry = Entry(
        Position(start.segment, begin),
        Position(start.segment, begin + size),
        record,
        bytes(view[meta_size:]),
    )
    return entry, 0


def _open_wake(path: Path) -> int:
    """The FIFO, opened for both directions so that neither end waits for the other; -1: none."""
    try:
        if not path.exists():
            os.mkfifo(path, 0o600)
    except FileExistsError:
        pass
    except OSError:
        return -1  # a file system without FIFOs: the worker looks by itself, four times a second
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


class Wake:
    """The worker's end of the FIFO."""

    def __init__(self, spool: Path) -> None:
        self.descriptor = _open_wake(spool / "wake")

    def drain(self) -> None:
        if self.descriptor >= 0:
            try:
                while len(os.read(self.descriptor, 65536)) == 65536:
                    pass
            except BlockingIOError:
                pass

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
