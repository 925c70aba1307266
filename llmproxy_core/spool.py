"""The local journal between a proxy and the worker: append-only segments, one folder a writer.

    spool/<writer>/lock            held (flock) as long as the writer lives
    spool/<writer>/00000001.seg    magic, then records

A record is a head (lengths of its two parts, xxh3-64 of both), the record itself (msgpack) and
the bytes of a body that travel beside it. A record is appended with one `writev`: what was
written survives kill -9 of the process at once, and a crash of the machine after `sync`. A record
that was cut by a crash is the last of its segment and is not read.

Fails open: where a record cannot be written (disk full), `append` counts it and says so in a
`gap` event as soon as writing works again; the traffic goes on.
"""

import contextlib
import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
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
        try:
            self._open()
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise SpoolError(f"{self.folder}: {exc.strerror or exc}") from exc
        self._wake = _open_wake(spool / "wake")

    def append(self, record: Record, body: Sequence[bytes] = ()) -> bool:
        """Write one record; False if it was lost (and counted)."""
        meta = encode(record)
        size = 0
        digest = xxhash.xxh3_64(meta)
        for part in body:
            size += len(part)
            digest.update(part)
        head = HEAD.pack(len(meta), size, digest.intdigest())
        try:
            if self.lost_records:
                self._tell_gap()
            self._write([head, meta, *body], HEAD.size + len(meta) + size)
        except OSError:
            self.lost_records += 1
            self.lost_bytes += size
            return False
        return True

    def wake(self) -> None:
        """Tell the worker that there is something to read."""
        if self._wake >= 0:
            # full: the worker has been told often enough
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake, b"\0")

    def sync(self) -> None:
        """Make what was written survive a crash of the machine. May be called from any thread."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Let go of the journal; a reader that has read all of it may then remove it."""
        for descriptor in (self._descriptor, self._lock, self._wake):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._lock = self._wake = -1

    def _open(self) -> None:
        private_folder(self.folder)
        if self._lock < 0:
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._rotate()

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
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += size
        self._dirty = True

    def _write_rest(self, rest: bytes) -> None:
        """A single writev stops at 2 GiB, at a signal, or where the disk is full."""
        view = memoryview(rest)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _rotate(self) -> None:
        path = segment_path(self.folder, self._segment + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        descriptor = os.open(path, flags, 0o600)
        try:
            if os.write(descriptor, MAGIC) != len(MAGIC):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(descriptor)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._segment, self._size = descriptor, self._segment + 1, len(MAGIC)

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

        Stops at an incomplete record: it is still being written, or was cut by a crash.

        Raises:
            SpoolError: a segment is not one of ours.
        """
        numbers = segments(self.folder)
        for number in numbers:
            if number < position.segment:
                continue
            offset = position.offset if number == position.segment else len(MAGIC)
            yield from _read_segment(segment_path(self.folder, number), number, offset)

    def backlog(self, position: Position) -> int:
        """Bytes written and not yet read."""
        total = 0
        for number in segments(self.folder):
            if number >= position.segment:
                size = segment_path(self.folder, number).stat().st_size
                total += size - (position.offset if number == position.segment else len(MAGIC))
        return max(0, total)

    def remove_before(self, position: Position) -> None:
        """Drop the segments that lie wholly before `position`."""
        for number in segments(self.folder):
            if number < position.segment:
                segment_path(self.folder, number).unlink(missing_ok=True)

    def remove(self) -> None:
        """Drop the whole journal. Call only when its writer is gone and all of it is stored."""
        for number in segments(self.folder):
            segment_path(self.folder, number).unlink(missing_ok=True)
        (self.folder / "lock").unlink(missing_ok=True)
        self.folder.rmdir()


def readers(spool: Path) -> list[SpoolReader]:
    """One reader for every journal, the oldest first."""
    return [SpoolReader(path) for path in sorted(spool.iterdir()) if path.is_dir()]


def _read_segment(path: Path, number: int, offset: int) -> Iterator[Entry]:
    try:
        file = path.open("rb", buffering=READ_BYTES)
    except FileNotFoundError:
        return
    with file:
        magic = file.read(len(MAGIC))
        if len(magic) < len(MAGIC):
            return
        if magic != MAGIC:
            raise SpoolError(f"{path}: not a spool segment of this version of llmproxy")
        file.seek(offset)
        while (entry := _read_entry(file.read, number, offset)) is not None:
            yield entry
            offset = entry.end.offset


def _read_entry(read: Callable[[int], bytes], number: int, offset: int) -> Entry | None:
    head = read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    meta_size, body_size, expected = HEAD.unpack(head)
    if meta_size + body_size > MAX_RECORD:
        return None
    meta = read(meta_size)
    body = read(body_size)
    digest = xxhash.xxh3_64(meta)
    digest.update(body)
    if len(meta) + len(body) < meta_size + body_size or digest.intdigest() != expected:
        return None
    try:
        record = decode(meta)
    except msgspec.DecodeError:
        return None
    end = offset + HEAD.size + meta_size + body_size
    return Entry(Position(number, offset), Position(number, end), record, body)


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
