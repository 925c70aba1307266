"""The elements of one array inside a JSON document that is too large to be read whole."""

import re
from collections.abc import Iterable, Iterator

SIGN = re.compile(rb'["{}\[\]]')
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
KEY = 64
"""Characters of a key that are looked at."""
LONGEST = 192 * 2**20
DEEPEST = 512


class Truncated(ValueError):
    """The document ends in the midst of something."""


class Elements:
    """Blocks of a document -> the bytes of each object in the array at `path`.

    The time is linear in the size of the document, the memory in that of the largest element.

    Raises:
        Truncated: on iteration, at the end of a document that is cut.
        ValueError: an element is over LONGEST bytes, or it is no JSON.
    """

    def __init__(self, blocks: Iterable[bytes], path: tuple[bytes, ...]) -> None:
        self._blocks = iter(blocks)
        self._path = [b"", *path]
        self._buffer = b""
        self._at = 0
        self._element = -1
        """Where in the buffer the element that is being read begins; -1: between elements."""
        self._names: list[bytes] = []
        """The name of every value that is open, the outermost first."""
        self._last = b""
        self.found = False
        """Was there an array at `path`?"""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            sign = SIGN.search(self._buffer, self._at)
            if sign is None:
                self._at = len(self._buffer)
                if not self._more():
                    return self._end()
                continue
            self._at = sign.start()
            if sign[0] == b'"':
                self._string()
            elif sign[0] in (b"{", b"["):
                self._open(sign[0])
            elif (element := self._close()) is not None:
                yield element

    def _string(self) -> None:
        while not (whole := STRING.match(self._buffer, self._at)):
            if not self._more():
                raise Truncated
        if self._element < 0:
            self._last = whole[0][1 : KEY + 1].removesuffix(b'"')
        self._at = whole.end()

    def _open(self, sign: bytes) -> None:
        inside = self._names == self._path
        if sign == b"{" and inside and self._element < 0:
            self._element = self._at
        self._names.append(self._last if self._names else b"")
        self._last = b""
        self._at += 1
        if len(self._names) > DEEPEST:
            raise ValueError("nested too deeply")
        if sign == b"[" and self._names == self._path:
            self.found = True

    def _close(self) -> bytes | None:
        self._at += 1
        if not self._names:
            raise ValueError("more brackets are closed than opened")
        self._names.pop()
        if self._element < 0 or self._names != self._path:
            return None
        element = self._buffer[self._element : self._at]
        self._element = -1
        return element

    def _more(self) -> bool:
        """Read on, at least as much again as is held: so a long string is looked at twice at most."""
        keep = self._element if self._element >= 0 else self._at
        held = self._buffer[keep:]
        self._at -= keep
        self._element = 0 if self._element >= 0 else -1
        if len(held) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST // 2**20} MiB")
        pieces, size = [held], 0
        for block in self._blocks:
            pieces.append(block)
            size += len(block)
            if size >= len(held):
                break
        self._buffer = b"".join(pieces)
        return size > 0

    def _end(self) -> None:
        if self._names:
            raise Truncated
