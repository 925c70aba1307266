"""Counters in a file that is mapped into memory: what is counted outlives kill -9 of the process.

A write is a store into memory that the kernel owns: no system call, nothing to replay. The processes
of a home map the same file. Format: records of 16 numbers of 8 bytes, native byte order. Record 0
holds MAGIC. Of the others 0 and 1 are the id, both 0: free; 2 is the window; 3 the second from which
on the record counts nothing and may be taken by another; the rest is the counter's own.
"""

import errno
import fcntl
import mmap
import os
import struct
import time
from hashlib import blake2b
from pathlib import Path

RECORD = 16
RECORD_BYTES = 8 * RECORD
SET = 128
"""An id has its place in one of the sets of so many records."""
SETS = 64
RECORDS = SET * SETS
MAGIC = int.from_bytes(b"llmplim1", "little")
WINDOW, UNTIL, OWN = 2, 3, 4
PATIENCE = 0.1
"""Seconds that the lock is waited for. Holders keep it for microseconds, unless they are stopped: then
only the first call waits."""


class Ledger:
    """`numbers` and `ids` are views of the same records. Not thread-safe.

    Without a path, or where the file cannot be used, the counters live in this process alone;
    `fault` says why.
    """

    __slots__ = ("_descriptor", "_map", "_patience", "fault", "ids", "numbers", "placed")

    def __init__(self, path: Path | None = None) -> None:
        self.fault = ""
        self.placed = 0
        """How many records were given to a counter by this process."""
        self._descriptor = -1
        self._patience = PATIENCE
        size = RECORD_BYTES * RECORDS
        if path is not None:
            try:
                self._descriptor = _open(path, size)
            except OSError as exc:
                self.fault = f"{path}: {exc.strerror or exc}"
        self._map = mmap.mmap(self._descriptor, size)
        self.numbers = memoryview(self._map).cast("d")
        self.ids = memoryview(self._map).cast("q")
        self.lock()
        if self.ids[0] != MAGIC:
            self._map[:] = bytes(size)
            self.ids[0] = MAGIC
        self.unlock()

    def lock(self) -> None:
        """Keep other processes of the home out; given up where one was stopped while it held it."""
        if self._descriptor < 0:
            return
        deadline = 0.0
        while not self._locked():
            now = time.monotonic()
            deadline = deadline or now + self._patience
            if now >= deadline:
                self._patience = 0.0  # fails open: two at once may forget a call of one of them
                return
            _let_others_run()
        self._patience = PATIENCE

    def unlock(self) -> None:
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def place(self, id: tuple[int, int], now: float, *, force: bool = False) -> int:
        """Where the record of an id begins, in `numbers`; 0: its set is full of living ones.

        `force`: then another one is forgotten, the one that would be first to count nothing.
        """
        first = (id[0] % SETS) * SET * RECORD
        end = first + SET * RECORD
        lows = self.ids[first:end:RECORD].tolist()
        if id[0] in lows:
            at: int = first + lows.index(id[0]) * RECORD
            if self.ids[at + 1] == id[1]:
                return at
        ends = list[float](self.numbers[first + UNTIL : end : RECORD])
        if not first:
            ends[0] = float("inf")  # where MAGIC is
        at = first + ends.index(min(ends)) * RECORD
        if self.numbers[at + UNTIL] > now and not force:
            return 0
        self.numbers[at + WINDOW : at + RECORD] = EMPTY
        self.numbers[at + UNTIL] = now + 1.0  # whoever asked may first look for others
        self.ids[at], self.ids[at + 1] = id
        self.placed += 1
        return at

    def close(self) -> None:
        self.numbers.release()
        self.ids.release()
        self._map.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


EMPTY = memoryview(bytes(8 * (RECORD - WINDOW))).cast("d")


def counter_id(*words: str) -> tuple[int, int]:
    """The id of a counter. A strong hash: the words may come from those who are limited."""
    digest = blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    low, high = struct.unpack("<qq", digest)
    return low or 1, high


def _let_others_run() -> None:
    if hasattr(os, "sched_yield"):
        os.sched_yield()


def _open(path: Path, size: int) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        _reserve(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _reserve(descriptor: int, size: int) -> None:
    """Room on the disk for all of it: a page without any kills who touches it (SIGBUS)."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for offset in range(0, size, mmap.PAGESIZE):  # macOS
        page = os.pread(descriptor, mmap.PAGESIZE, offset).ljust(mmap.PAGESIZE, b"\0")
        if os.pwrite(descriptor, page, offset) != len(page):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
