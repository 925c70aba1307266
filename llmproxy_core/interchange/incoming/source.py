"""A file to be imported, as a stream of bytes: gzip undone, its beginning looked at, its end known.

Nothing is ever read whole: a file may be larger than the memory.
"""

import gzip
import io
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from llmproxy_core.errors import InterchangeError

GZIP = b"\x1f\x8b"
BLOCK = 2**20
HEAD = 512


class Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class Source:
    """`name`: for people. `modified_at`: ns since 1970; of a pipe: now. `head`: how it begins."""

    def __init__(self, name: str, stream: Readable, modified_at: int) -> None:
        self.name = name
        self.modified_at = modified_at
        self._stream = stream
        self._damage: InterchangeError | None = None
        self.head = self._begin()
        self._held = self.head

    def blocks(self) -> Iterator[bytes]:
        """All of it, in pieces.

        Raises:
            InterchangeError: it cannot be read any further, e.g. it is damaged gzip.
        """
        held, self._held = self._held, b""
        if held:
            yield held
        if self._damage:
            raise self._damage
        while block := self._read():
            yield block

    def _begin(self) -> bytes:
        """Damage that follows is told where it is met: what stands before it counts."""
        head = b""
        try:
            while len(head) < HEAD and (block := self._read()):
                head += block
        except InterchangeError as exc:
            self._damage = exc
        return head

    def _read(self) -> bytes:
        try:
            return self._stream.read1(BLOCK)
        except EOFError:
            raise InterchangeError(
                f"{self.name}: the gzip data end early, so the end is missing; get the file anew. "
                "Importing it again then adds what is missing."
            ) from None
        except (gzip.BadGzipFile, zlib.error) as exc:
            raise InterchangeError(f"{self.name}: damaged gzip data: {exc}") from None
        except OSError as exc:
            raise InterchangeError(f"{self.name}: {exc.strerror or exc}") from None


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """`-` is standard input. Raises InterchangeError, also while it is being read."""
    try:
        raw = io.FileIO(sys.stdin.fileno() if name == "-" else name, closefd=name != "-")
    except OSError as exc:
        raise InterchangeError(f"{name}: {exc.strerror}") from None
    label = "standard input" if name == "-" else name
    try:
        yield Source(label, _plain(raw), _modified(raw))
    finally:
        raw.close()


def _plain(raw: io.FileIO) -> Readable:
    buffered = io.BufferedReader(raw, BLOCK)
    try:
        head = buffered.peek(len(GZIP))
    except OSError:
        return buffered  # told when it is read
    return gzip.GzipFile(fileobj=buffered) if head.startswith(GZIP) else buffered


def _modified(raw: io.FileIO) -> int:
    found = os.fstat(raw.fileno())
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else time.time_ns()
