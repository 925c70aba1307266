"""A JSON array that grows: Gemini streams one where `alt=sse` was not asked for."""

import re
from collections.abc import Iterator

LIMIT = 32 * 2**20
MARKS = re.compile(rb'[\\"{}]')
QUOTE, BACKSLASH, OPEN = b'"\\{'


class ArrayReader:
    """Bytes of `[{...}, {...}]` in any cuts -> the bytes of each object, as soon as it is whole.

    What stands between objects is skipped. An object above LIMIT bytes is dropped and counted.
    """

    __slots__ = ("_depth", "_escaped", "_pieces", "_size", "_string", "dropped")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._string = False
        self._escaped = False
        self.dropped = 0

    @property
    def open(self) -> bool:
        """Is an object begun and not whole?"""
        return self._depth > 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that `chunk` completes."""
        whole: list[bytes] = []
        start = 0
        for at, byte in self._structure(chunk):
            if byte == OPEN:
                start = at if self._depth == 0 else start
                self._depth += 1
            elif self._depth:
                self._depth -= 1
                if self._depth == 0:
                    self._keep(chunk[start : at + 1])
                    self._close(whole)
                    start = at + 1
        if self._depth:
            self._keep(chunk[start:])
        return whole

    def _structure(self, chunk: bytes) -> Iterator[tuple[int, int]]:
        """The braces that stand outside of strings, with their places."""
        skip = 0 if self._escaped else -1
        for mark in MARKS.finditer(chunk):
            at = mark.start()
            if at == skip:
                continue
            byte = chunk[at]
            if not self._string:
                if byte == QUOTE:
                    self._string = True
                elif byte != BACKSLASH:
                    yield at, byte
            elif byte == BACKSLASH:
                skip = at + 1
            elif byte == QUOTE:
                self._string = False
        self._escaped = skip == len(chunk)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= LIMIT:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _close(self, whole: list[bytes]) -> None:
        if self._size > LIMIT:
            self.dropped += 1
        else:
            whole.append(b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0
