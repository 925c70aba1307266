"""From a document to items: cuts it, and knows again what it has cut before.

A `Cutter` serves one namespace and week: what it has given as a piece once, it takes for stored.
So it must be thrown away if that was not stored after all. Not thread-safe.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.spans import frame, lines
from llmproxy_core.spans.cuts import Span, elements, long_strings
from llmproxy_core.spans.items import SEPARATORS, Item, inline, inserted, piece
from llmproxy_core.spans.marks import without_marks
from llmproxy_core.spans.recent import Recent

PIECE = 256
"""Bytes from which a piece is kept apart; for a shorter one, a row of its own costs more."""
CERTAIN = 2048
"""Bytes from which a string within a message is a piece of its own, seen before or not."""
REMEMBERED = 32_768


type Chunk = tuple[int, bytes, list[Item]]
"""A part of a body: its length, its hash (a short one: itself), its items."""


@dataclass(slots=True)
class Cut:
    """The items of a document, and those of its pieces, by hash, that were not seen before.

    `outline`: what the body was cut into.
    """

    items: list[Item]
    pieces: dict[bytes, bytes] = field(default_factory=dict)
    outline: list[Chunk] = field(default_factory=list)


class Cutter:
    """`apart`: are long pieces kept apart, or is all of the document in its manifest?"""

    def __init__(self) -> None:
        self._chunks: Recent[bytes, list[Item]] = Recent(REMEMBERED)
        self._known: Recent[bytes, bool] = Recent(REMEMBERED)
        self._headers: Recent[tuple[str, str], Item] = Recent(REMEMBERED)

    def request(
        self,
        headers: Headers,
        body: bytes,
        apart: bool,
        kept: frozenset[Item] = frozenset(),
        outline: Sequence[Chunk] = (),
    ) -> Cut:
        """`kept`: long items of the base which are in its manifest; they come again as they are.
        `outline`: of a body that is likely to begin as this one does; that part is not parsed."""
        cut = Cut(self._heading(headers, [], frame.PLAIN))
        done = _beginning(body, outline, cut)
        for start, end in elements(body, done):
            if body[done:start] not in SEPARATORS:
                self._chunk(body[done:start], cut, apart, kept)
                done = start
            self._chunk(body[done:end], cut, apart, kept)
            done = end
        if rest := body[done:]:
            self._chunk(rest, cut, apart, kept)
        return cut

    def answer(self, headers: Headers, trailers: Headers, body: bytes, apart: bool) -> Cut:
        """Its texts are pieces: as messages of the next request, they are the same bytes."""
        if found := _by_lines(body):
            cut = Cut(self._heading(headers, trailers, frame.LINES))
            for data, is_text in found:
                self._text(data, cut, apart and is_text)
            return cut
        cut = Cut(self._heading(headers, trailers, frame.PLAIN))
        done = 0
        for start, end in long_strings(body, PIECE) if apart else ():
            self._text(body[done:start], cut, apart=False)
            self._text(body[start:end], cut, apart)
            done = end
        self._text(body[done:], cut, apart and len(body) - done >= CERTAIN)
        return cut

    def _heading(self, headers: Headers, trailers: Headers, kind: int) -> list[Item]:
        items = [inline(frame.beginning(headers, trailers, kind))]
        for pair in (*headers, *trailers):
            item = self._headers.get(pair)
            if item is None:
                item = self._headers[pair] = inline(frame.header_piece(pair))
            items.append(item)
        return items

    def _chunk(self, chunk: bytes, cut: Cut, apart: bool, kept: frozenset[Item]) -> None:
        """`chunk`: an element with the separator before it, or what is between elements."""
        if len(chunk) < PIECE or not apart:
            cut.items.append(inline(chunk))
            cut.outline.append((len(chunk), chunk, cut.items[-1:]))
        elif kept and (item := inline(chunk)) in kept:
            cut.items.append(item)
        else:
            digest = content_hash(chunk)
            items = self._chunks.get(digest)
            if items is None:
                items = self._chunks[digest] = list(self._parts(chunk, cut))
            cut.items += items
            cut.outline.append((len(chunk), digest, items))

    def _parts(self, chunk: bytes, cut: Cut) -> Iterator[Item]:
        done = 0
        for start, end in self._own_strings(chunk):
            yield self._part(chunk[done:start], cut)
            yield self._piece(chunk[start:end], cut)
            done = end
        if done < len(chunk):
            yield self._part(chunk[done:], cut)

    def _own_strings(self, chunk: bytes) -> Iterator[Span]:
        """Strings that were in an answer, or would be worth a piece of their own."""
        for start, end in long_strings(chunk, PIECE):
            if end - start >= CERTAIN or self._known.get(content_hash(chunk[start:end])):
                yield start, end

    def _part(self, data: bytes, cut: Cut) -> Item:
        return inline(data) if len(data) < PIECE else self._piece(data, cut, separated=True)

    def _piece(self, data: bytes, cut: Cut, separated: bool = False) -> Item:
        separator = _separator(data) if separated else 0
        whole = data[len(SEPARATORS[separator]) :]
        kept, marks = without_marks(whole)
        if marks and inserted(kept, marks) != whole:
            kept, marks = whole, ()
        digest = content_hash(kept)
        if self._known.get(digest) is None:
            self._known[digest] = True
            cut.pieces[digest] = kept
        return piece(digest, separator, marks)

    def _text(self, data: bytes, cut: Cut, apart: bool) -> None:
        cut.items.append(self._piece(data, cut) if apart and len(data) >= PIECE else inline(data))


def _beginning(body: bytes, outline: Sequence[Chunk], cut: Cut) -> int:
    """How much of the body is as in an outline; its items are added."""
    done, view = 0, memoryview(body)
    for known in outline:
        length, key, items = known
        data = view[done : done + length]
        if (data if len(key) == length else content_hash(data)) != key:
            break
        done += length
        cut.items += items
        cut.outline.append(known)
    return done


def _by_lines(body: bytes) -> list[lines.Piece] | None:
    found = lines.split(body)
    if found is None or lines.merge(b"".join([data for data, _ in found])) != body:
        return None
    return found


def _separator(data: bytes) -> int:
    """Which of SEPARATORS the data begins with; of two, the longer."""
    if data[:1] != b",":
        return 0
    return SEPARATORS.index(data[:2]) if data[:2] in SEPARATORS else 1
