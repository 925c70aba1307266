"""Exchanges under way: what is known of them between the records of their journal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.conversations.node import Node
from llmproxy_core.model import Delta, Request, Response
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Answer, Closed, Opened, Piece
from llmproxy_core.spool import Position
from llmproxy_core.store.call_rows import StreamDelta
from llmproxy_core.worker.demanded import Demanded

type Marks = list[tuple[int, int]]


@dataclass(slots=True)
class Exchange:
    """One call between its Opened and its Closed. `start`: where its Opened is in the journal.

    Times are ns since 1970, 0 where nothing came yet. `unreadable` says what went wrong in
    reading the answer; its bytes are kept all the same.
    """

    ns_id: int
    session_id: UUID
    opened: Opened
    request: Request
    start: Position
    answer: Answer | None = None
    chunks: list[bytes] = field(default_factory=list)
    first_at: int = 0
    first_token_at: int = 0
    last_at: int = 0
    n_pieces: int = 0
    words: set[bytes] = field(default_factory=set)
    """Of what is new in the request."""
    cut: bool = False
    """The spool had no room for a piece of the answer."""
    unreadable: str | None = None
    unshown: list[StreamDelta] = field(default_factory=list)
    """Text of the answer that nobody has been shown yet."""
    node: Node | None = None
    """Its place in a conversation."""
    asked: Demanded | None = None
    """What of the request's body is needed when it is over."""
    _reader: AnswerReader | None = None

    @property
    def id(self) -> UUID:
        return UUID(bytes=self.opened.id)

    @property
    def body(self) -> bytes:
        if len(self.chunks) > 1:
            self.chunks = [b"".join(self.chunks)]
        return self.chunks[0] if self.chunks else b""

    def begin_answer(self, answer: Answer) -> None:
        if self.answer is not None:
            return
        self.answer = answer
        self.last_at = answer.at
        try:
            self._reader = AnswerReader(
                self.opened.wire, answer.status, answer.headers, self.opened.path
            )
        except Exception as exc:  # noqa: BLE001 - the answer is stored raw, see `unreadable`
            self._give_up(exc)

    def piece(self, record: Piece, body: bytes) -> list[Delta]:
        """Bytes of the answer; the text that can be shown of them."""
        self.n_pieces += 1
        self.cut = self.cut or bool(record.marks and not body)
        if record.again:
            self._begin_again()
            self._bytes(record.at, record.marks, body)
            return []  # most of it has been shown
        return self._bytes(record.at, record.marks, body)

    def end(self, record: Closed, body: bytes) -> Response:
        """The rest of the answer; all of it, read. An unreadable one is empty."""
        if record.answer is not None:
            self.begin_answer(record.answer)
        if record.again:
            self._begin_again()
        if body:
            self._bytes(record.pending_at or record.at, record.marks, body)
        self.first_at = record.first_at or self.first_at
        self.last_at = record.at
        return self.finish()

    def _begin_again(self) -> None:
        """What comes now stands for all that came before."""
        self.chunks, self.unreadable, self._reader = [], None, None
        if (answer := self.answer) is not None:
            self.answer = None
            self.begin_answer(answer)

    def finish(self) -> Response:
        """What can be read of what has come."""
        if self._reader is not None and self.unreadable is None:
            try:
                return self._reader.finish()
            except Exception as exc:  # noqa: BLE001 - the answer is stored raw, see `unreadable`
                self._give_up(exc)
        return Response()

    def _bytes(self, at: int, marks: Marks, body: bytes) -> list[Delta]:
        if body:
            self.chunks.append(body)
        self.first_at = self.first_at or at
        self.last_at = at + (marks[-1][1] * 1000 if marks else 0)
        if self._reader is None or self.unreadable is not None:
            return []
        try:
            return self._feed(self._reader, at, marks, body)
        except Exception as exc:  # noqa: BLE001 - the answer is stored raw, see `unreadable`
            self._give_up(exc)
            return []

    def _feed(self, reader: AnswerReader, at: int, marks: Marks, body: bytes) -> list[Delta]:
        if self.first_token_at:
            return reader.feed(body)
        deltas: list[Delta] = []
        for when, chunk in _timed(at, marks, body):
            deltas += reader.feed(chunk)
            if deltas and not self.first_token_at:
                self.first_token_at = when
        return deltas

    def _give_up(self, exc: Exception) -> None:
        self._reader = None
        self.unreadable = f"{type(exc).__name__}: {exc}"


def _timed(at: int, marks: Marks, body: bytes) -> Iterator[tuple[int, bytes]]:
    """The chunks in which a body came, with their times (ns since 1970)."""
    done, when = 0, at
    for size, after in marks:
        when = at + after * 1000
        yield when, body[done : done + size]
        done += size
    if done < len(body):
        yield when, body[done:]
