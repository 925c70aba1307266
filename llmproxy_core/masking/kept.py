"""What of an answer is to be written now, and when which of it came."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from llmproxy_core.masking.keeper import Keeper

type Marks = list[tuple[int, int]]
"""See `records.Piece`."""


class Taken(NamedTuple):
    """`at`: when the first of it came (ns since 1970; 0: there is nothing). `again`: it stands for
    all that was taken before."""

    chunks: Sequence[bytes]
    at: int
    marks: Marks
    again: bool = False


NOTHING = Taken((), 0, [])


class KeptAnswer:
    """Bytes as they pass, until they are written. `size`: what is written in all."""

    __slots__ = ("_chunks", "_late", "first_at", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._late: deque[tuple[int, int]] = deque()
        """Sizes of chunks that came and were not taken, with their times."""
        self.first_at = 0
        self.size = 0

    def add(self, chunk: bytes, now: int) -> None:
        """Times in ns since 1970."""
        self.first_at = self.first_at or now
        self._chunks.append(chunk)
        self._late.append((len(chunk), now))

    def take(self, keeper: Keeper | None, complete: bool | None = None) -> Taken:
        """What can be written. `complete`: it is all, and is it the whole answer?"""
        chunks, self._chunks = self._chunks, []
        if keeper is not None and keeper.skeleton:
            return self._each(keeper, chunks, complete)
        again = False
        if keeper is not None:
            data, again = _through(keeper, b"".join(chunks), complete)
            chunks = [data] if data else []
        size = sum(map(len, chunks))
        self.size = size if again else self.size + size
        if keeper is None and not chunks:
            return NOTHING
        marks = self._marks(size, again, ended=keeper is None or complete is not None)
        if not (chunks or again):
            return NOTHING
        at = marks[0][1] if marks else self.first_at
        return Taken(chunks, at, [(size, (when - at) // 1000) for size, when in marks], again)

    def _each(self, keeper: Keeper, chunks: Sequence[bytes], complete: bool | None) -> Taken:
        """A skeleton is much shorter than what came: its times are told by its chunks."""
        told = []
        for chunk, (_, when) in zip(chunks, self._late, strict=True):
            if data := keeper.feed(chunk):
                told.append((data, when))
        last = self._late[-1][1] if self._late else self.first_at
        self._late.clear()
        if complete is not None and (rest := keeper.finish(complete=complete)):
            told.append((rest, last))
        if not told:
            return NOTHING
        self.size += sum(len(data) for data, _ in told)
        at = told[0][1]
        marks = [(len(data), (when - at) // 1000) for data, when in told]
        return Taken([data for data, _ in told], at, marks)

    def _marks(self, size: int, again: bool, *, ended: bool) -> Marks:
        """What is written may be longer or shorter than what came."""
        if ended:
            late = sum(size for size, _ in self._late)
            marks = [*self._late]
            self._late.clear()
            if late == size or not marks:
                return marks
            self._late.extend(marks)
        marks = [(0, self.first_at)] if again else []
        left = size
        while left > 0 and self._late:
            came, when = self._late.popleft()
            marks.append((min(came, left), when))
            left -= came
            if left < 0:
                self._late.appendleft((-left, when))
        if left > 0 and marks:
            first, when = marks[0]
            marks[0] = first + left, when
        if ended:
            self._late.clear()
        return marks


def _through(keeper: Keeper, data: bytes, complete: bool | None) -> tuple[bytes, bool]:
    """What the keeper gives for it, and whether that stands for all before."""
    out, again = b"", False
    if data:
        out, again = keeper.feed(data), keeper.again
    if complete is not None:
        rest = keeper.finish(complete=complete)
        out, again = (rest, True) if keeper.again else (out + rest, again)
    return out, again
