"""The shapes that the body of an answer may have; the reader begins one of them.

Each is fed the decoded bytes, then finished; what it finds, it tells its owner.
"""

from collections.abc import Sequence
from typing import Protocol

from llmproxy_core.model import Part, PartKind
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import attachment
from llmproxy_core.providers.json_array import ArrayReader
from llmproxy_core.providers.lines import LineReader
from llmproxy_core.providers.parsing import LONGEST, parse
from llmproxy_core.providers.sse import BOM, Event, EventReader

BLANK = b" \t\r\n"
RAW_LIMIT = 8 * 2**20
"""Bytes of an answer that are kept for reading where its format is not read in full."""
MEDIA: dict[str, PartKind] = {"audio": "audio", "image": "image", "video": "other"}


class Owner(Protocol):
    """The reader, as its body sees it."""

    known: bool
    announces_stream: bool

    @property
    def into(self) -> Assembler: ...
    def event(self, name: bytes, data: bytes) -> None: ...
    def events(self, events: Sequence[Event]) -> None: ...
    def whole(self, body: bytes, cut: bool) -> str | None: ...
    def dropped(self, n: int) -> None: ...


class Body(Protocol):
    def feed(self, piece: bytes) -> None: ...
    def finish(self) -> None: ...
    def complete(self, into: Assembler) -> bool:
        """Did the answer end as its format says?"""


class Whole:
    """A body to be read at its end."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._pieces: list[bytes] = []
        self._left = LONGEST if owner.known else RAW_LIMIT
        self._problem: str | None = None
        self._starts_json = False

    def feed(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left >= 0:
            self._pieces.append(piece)

    def finish(self) -> None:
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._problem = self._owner.whole(body, cut=self._left < 0)
        self._starts_json = body.removeprefix(BOM).lstrip(BLANK)[:1] in (b"{", b"[")

    def complete(self, into: Assembler) -> bool:
        """Empty: complete as far as anybody can tell, unless a stream was announced."""
        if self._problem is None:
            return True
        return not self._starts_json and not self._owner.announces_stream


class Events:
    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = EventReader()

    def feed(self, piece: bytes) -> None:
        self._owner.events(self._reader.feed(piece))

    def finish(self) -> None:
        self._owner.events(self._reader.finish())
        self._owner.dropped(self._reader.dropped)

    def complete(self, into: Assembler) -> bool:
        return into.closed or into.error is not None


class Lines:
    """One JSON text a line; where the first line is none, the body is one text of many lines."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = LineReader()
        self._whole: Whole | None = None
        self._blank: list[bytes] = []
        self._begun = False
        self._torn = False

    def feed(self, piece: bytes) -> None:
        if self._whole is not None:
            self._whole.feed(piece)
            return
        lines = self._reader.feed(piece)
        if not self._begun and not self._first(lines):
            return
        for line in lines:
            if line.strip():
                self._owner.event(b"", line)

    def _first(self, lines: list[bytes]) -> bool:
        """Do the lines begin here? They do not before the first one, nor if it is no object."""
        first = next((line for line in lines if line.strip()), None)
        if first is None:
            self._blank += lines
            return False
        self._begun = isinstance(parse(first)[0], dict)
        if not self._begun:
            self._is_whole(b"\n".join([*self._blank, *lines, self._reader.finish()]))
        return self._begun

    def finish(self) -> None:
        rest = self._reader.finish()
        told = bool(rest.strip())
        self._torn = told and not isinstance(parse(rest)[0], dict)
        if self._whole is None and not self._begun and self._torn:
            self._is_whole(b"\n".join([*self._blank, rest]))
        if self._whole is not None:
            self._whole.finish()
        elif told:
            self._owner.event(b"", rest)
        self._owner.dropped(self._reader.dropped)

    def _is_whole(self, begun: bytes) -> None:
        self._whole = Whole(self._owner)
        self._whole.feed(begun)

    def complete(self, into: Assembler) -> bool:
        if self._whole is not None:
            return self._whole.complete(into)
        return not self._torn and (into.closed or into.error is not None)


class Media:
    """A body of sound or pictures: only its size is told."""

    def __init__(self, owner: Owner, kind: str) -> None:
        self._owner = owner
        self._kind = kind
        self._size = 0

    def feed(self, piece: bytes) -> None:
        self._size += len(piece)

    def finish(self) -> None:
        if self._size:
            shown = f"{attachment(mime=self._kind)}, {self._size} bytes"
            self._owner.into.part(Part(MEDIA[self._kind.partition("/")[0]], shown))

    def complete(self, into: Assembler) -> bool:
        return True


class Array:
    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = ArrayReader()

    def feed(self, piece: bytes) -> None:
        for data in self._reader.feed(piece):
            self._owner.event(b"", data)

    def finish(self) -> None:
        self._owner.dropped(self._reader.dropped)

    def complete(self, into: Assembler) -> bool:
        return not self._reader.open and (into.closed or into.error is not None)
