"""The worker's end of the spool."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import xxhash

from llmproxy_core.records import Event, Record
from llmproxy_core.spool.segment import (
    MAGIC,
    Entry,
    Position,
    framed,
    next_whole,
    read_segment,
    segment_path,
    segments,
)

REMOVED = ".stored"
"""Ending of the folder that is left of a journal until the store has forgotten it."""


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

        Stops at an incomplete record: it is still being written, or was cut by a crash. Where
        more records follow, or another segment does, it is damage, and read as a `gap` event.

        Raises:
            SpoolError: a segment is not one of ours.
        """
        numbers = [number for number in segments(self.folder) if number >= position.segment]
        for number, following in zip(numbers, [*numbers[1:], 0], strict=True):
            # asked before reading: a segment gets nothing more once its follower has begun
            whole = following > 0 and _begun(segment_path(self.folder, following))
            at = position if number == position.segment else Position(number, len(MAGIC))
            yield from self._segment(at, Position(following, len(MAGIC)) if whole else None)
            if not whole:
                return

    def _segment(self, at: Position, following: Position | None) -> Iterator[Entry]:
        """One segment from `at` on. `following`: where the next one begins, if this one is whole."""
        path = segment_path(self.folder, at.segment)
        while True:
            for entry in read_segment(path, at):
                yield entry
                at = entry.end
            lost = _size(path) - at.offset
            if lost <= 0 or (following is None and self.writer_alive()):
                return
            found = next_whole(path, at)
            if found is None:
                if following is not None:  # else it was cut by a crash
                    yield _damage(self.id, at, following, lost)
                return
            if found > at:
                yield _damage(self.id, at, found, found.offset - at.offset)
            at = found

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
            begin, following = (Position(n, len(MAGIC)) for n in (number, number + 1))
            for entry in self._segment(begin, following):
                if keep(entry.record):
                    file.writelines(framed(entry.record, entry.body))
            file.flush()
            os.fdatasync(file.fileno())
        temporary.replace(path)

    def remove_before(self, position: Position) -> None:
        """Drop the segments that lie wholly before `position`."""
        for number in segments(self.folder):
            if number < position.segment:
                segment_path(self.folder, number).unlink(missing_ok=True)

    def remove(self) -> None:
        """Drop the whole journal. Call only when its writer is gone and all of it is stored.

        An empty folder tells that it was there until the store has forgotten it, too.
        """
        for path in (*self.folder.glob("*.seg"), *self.folder.glob("*.thin")):
            path.unlink(missing_ok=True)
        (self.folder / "lock").unlink(missing_ok=True)
        self.folder.rename(self.folder.with_name(f".{self.id}{REMOVED}"))


def removed(spool: Path) -> list[str]:
    """The ids of journals that are gone, and not forgotten yet."""
    names = [name for name in os.listdir(spool) if name.startswith(".")]
    return [name[1:].removesuffix(REMOVED) for name in names if name.endswith(REMOVED)]


def forget(spool: Path, id: str) -> None:
    """Nothing is known any more of a journal that is gone."""
    with contextlib.suppress(OSError):  # it can be forgotten once more
        (spool / f".{id}{REMOVED}").rmdir()


def readers(spool: Path) -> list[SpoolReader]:
    """One reader for every journal, the oldest first."""
    names = sorted(name for name in os.listdir(spool) if not name.startswith("."))
    return [SpoolReader(spool / name) for name in names if (spool / name).is_dir()]


def _begun(path: Path) -> bool:
    return _size(path) >= len(MAGIC)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _damage(writer: str, start: Position, end: Position, lost: int) -> Entry:
    """The same place always gives the same event: the time is that of the journal's beginning."""
    place = f"{writer} {start.segment} {start.offset}".encode()
    at = int(writer[:12], 16) * 10**6 if len(writer) == 32 else 0
    data: dict[str, str | int | float | bool | None] = {"reason": "damaged", "bytes": lost}
    return Entry(start, end, Event(xxhash.xxh3_128_digest(place), at, "gap", data), b"")
