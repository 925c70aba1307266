"""How much the spool may still take: `spool.max_bytes` and `spool.min_free_bytes`.

One number says how near a limit is: 1 is there. Near it bodies are not kept any more, at it no
record is; both come back at a lower number than they went, so that nothing flaps.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

NEAR, NEAR_OVER = 0.9, 0.8
FULL, FULL_OVER = 1.0, 0.95
LOOK_SECONDS = 1.0
LOOK_BYTES = 16 * 2**20
"""Looks at the disk so often, in time and in bytes written; what is written between is added."""

SMALL = 20
"""`min_free_bytes` is no more than this part of the disk."""


class Limits(NamedTuple):
    """Bytes; 0: no limit. `max_bytes` of all journals, `min_free_bytes` of their file system."""

    max_bytes: int = 0
    min_free_bytes: int = 0


class Level(IntEnum):
    """What is kept."""

    ALL = 0
    RECORDS = 1
    """Without bodies."""
    NOTHING = 2


@dataclass(slots=True)
class Usage:
    """Bytes of all journals; free ones of their file system, and all of its bytes."""

    used: int
    free: int
    size: int = sys.maxsize

    def grow(self, size: int) -> None:
        self.used += size
        self.free -= size

    def reserve(self, limits: Limits) -> int:
        """A small disk is not all for others."""
        return min(limits.min_free_bytes, self.size // SMALL)

    def pressure(self, limits: Limits) -> tuple[float, str]:
        """How near a limit is, and which one: the name of its setting."""
        by_size = self.used / limits.max_bytes if limits.max_bytes else 0.0
        by_disk = self.reserve(limits) / max(1, self.free)
        return max((by_size, "max_bytes"), (by_disk, "min_free_bytes"))

    def plenty(self, limits: Limits) -> int:
        """Bytes until any limit is near."""
        by_size = int(NEAR * limits.max_bytes) - self.used if limits.max_bytes else LOOK_BYTES
        by_disk = self.free - int(self.reserve(limits) / NEAR)
        return max(0, min(by_size, by_disk, LOOK_BYTES))


def look(spool: Path) -> Usage:
    """Bytes of all journals, and bytes free for us. Raises OSError."""
    used = 0
    with os.scandir(spool) as folders:
        for folder in folders:
            if folder.is_dir(follow_symlinks=False):
                used += _bytes_in(folder.path)
    disk = os.statvfs(spool)
    return Usage(used, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)


def _bytes_in(folder: str) -> int:
    try:
        with os.scandir(folder) as files:
            return sum(file.stat(follow_symlinks=False).st_size for file in files)
    except FileNotFoundError:  # the worker has just removed it, or a file in it
        return 0


class Room:
    """`level` and the setting behind it, `reason`, as of the latest `take`."""

    def __init__(
        self, spool: Path, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.level = Level.ALL
        self.reason = ""
        self._spool = spool
        self._limits = limits
        self._clock = clock
        self._usage = Usage(0, 0)
        self._look_at = 0.0 if any(limits) else math.inf
        self._granted = 0 if any(limits) else sys.maxsize
        self._left = self._granted
        """Of the bytes granted at the latest look, which need no thought."""

    def take(self, size: int, bare: int) -> Level:
        """What may be kept of a record of `size` bytes, `bare` of them without its body.

        What is kept counts as written.
        """
        if size <= self._left and self._clock() < self._look_at:
            self._left -= size
            return Level.ALL
        self._consider(size, bare)
        return self.level

    def _consider(self, size: int, bare: int) -> None:
        self._usage.grow(self._granted - self._left)
        if self._clock() >= self._look_at or self._granted == LOOK_BYTES:
            self._look()
        after = replace(self._usage)
        after.grow(size)
        near, self.reason = after.pressure(self._limits)
        self.level = _level(near, self.level)
        self._usage.grow((size, bare, 0)[self.level])
        self._granted = self._left = (
            self._usage.plenty(self._limits) if self.level == Level.ALL else 0
        )

    def _look(self) -> None:
        try:
            self._usage = look(self._spool)
        except OSError:
            return  # the write that follows meets the same disk, and counts it
        self._look_at = self._clock() + LOOK_SECONDS


def _level(near: float, before: Level) -> Level:
    if near >= (FULL_OVER if before == Level.NOTHING else FULL):
        return Level.NOTHING
    if near >= (NEAR_OVER if before >= Level.RECORDS else NEAR):
        return Level.RECORDS
    return Level.ALL
