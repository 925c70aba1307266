"""Names put back in bytes that pass: what is found is restored, what is unfinished waits."""

import msgspec

from llmproxy_core.namespace.grammar import Name
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.walk import Found

MOST_WAITING = 2**16
"""Bytes that wait for the next piece of a name."""

type Call = tuple[str | None, ...]
"""By what a call is told from the others of a stream: the `index` of what is around its name."""
type Span = tuple[int, int]


def restored(name: bytes, place: Name, naming: Naming) -> bytes:
    """A name as it stands in JSON, as the client knows it; the same bytes if it stays."""
    if place.known and not naming.knows(_unescaped(name)):
        return name
    return _restored(name, naming)


class Held:
    """Bytes on their way: of a name that has begun nothing goes on before it ends.

    With `pieces` a name may come in several, as text does, and clients join them. Then one that may
    be the beginning of a name waits, with all that follows, until the next piece comes or `settle`
    says that there is none. Offsets count from the first byte that was added, after those that
    were `skip`ped.
    """

    __slots__ = ("_base", "_edits", "_naming", "_pieces", "_raw", "_unfinished", "_waiting")

    def __init__(self, naming: Naming, pieces: bool = False) -> None:
        self._naming = naming
        self._pieces = pieces
        self._raw = b""
        self._base = 0
        self._edits: list[Edit] = []
        self._waiting: dict[Call, list[Span]] = {}
        self._unfinished: int | None = None

    @property
    def waits(self) -> bool:
        """Does a name wait for its next piece?"""
        return bool(self._waiting)

    def skip(self, size: int) -> None:
        """That many bytes have gone on already."""
        self._base += size

    def add(self, data: bytes) -> None:
        self._raw = self._raw + data if self._raw else data

    def found(self, names: list[Found], origin: int = 0) -> None:
        """Names at offsets from `origin`."""
        for one in names:
            start, end = one.start + origin, one.end + origin
            if not one.holds or start < self._base:
                continue
            if self._pieces and not one.place.known:
                self._piece(tuple(facts.get("index") for facts in one.around), (start, end))
                continue
            name = self._raw[start - self._base : end - self._base]
            if (ours := restored(name, one.place, self._naming)) != name:
                self._edits.append((start, end, ours))

    def settle(self) -> None:
        """What waits is whole."""
        for spans in self._waiting.values():
            self._put_back(spans)
        self._waiting = {}

    def take(self, upto: int | None) -> bytes:
        """What may go on: all, or what is before `upto`; and before a name that waits."""
        self._unfinished = upto
        if upto is None and not self._edits and not self._waiting:
            out, self._raw = self._raw, b""
            self._base += len(out)
            return out
        if len(self._raw) > MOST_WAITING:
            self.settle()
        stop = self._base + len(self._raw) if upto is None else upto
        stop = min([stop, *(spans[0][0] for spans in self._waiting.values())])
        edits, base = sorted(self._edits), self._base
        self._edits = [one for one in edits if one[1] > stop]
        ready = [(start - base, end - base, ours) for start, end, ours in edits if end <= stop]
        out = edited(self._raw[: stop - base], ready)
        self._raw = self._raw[stop - base :]
        self._base = stop
        return out

    def finish(self) -> bytes:
        """What is left at the end: names that waited, and the start of one that never ended."""
        self.settle()
        out = self.take(self._unfinished)
        start, self._raw = self._raw, b""
        return out + start[:1] + self._cut(start[1:]) if start else out

    def _cut(self, start: bytes) -> bytes:
        prefix = self._naming.prefix
        if start.startswith(prefix):
            return start[len(prefix) :]
        return b"" if prefix.startswith(start) else start

    def _piece(self, call: Call, span: Span) -> None:
        before, naming = self._waiting.pop(call, []), self._naming
        name = _unescaped(self._joined([*before, span]))
        if naming.may_begin(name) and not naming.knows(name):
            self._waiting[call] = [*before, span]
        elif naming.knows(name) or name.startswith(naming.prefix):
            self._put_back([*before, span])
        else:  # another name, which does not go on with what waited
            self._put_back(before)
            self._put_back([span])

    def _joined(self, spans: list[Span]) -> bytes:
        base = self._base
        return b"".join(self._raw[start - base : end - base] for start, end in spans)

    def _put_back(self, spans: list[Span]) -> None:
        """The last piece gets all of the name."""
        name = self._joined(spans)
        if (ours := _restored(name, self._naming)) != name:
            self._edits += [(start, end, b"") for start, end in spans[:-1]]
            self._edits.append((*spans[-1], ours))


def _restored(name: bytes, naming: Naming) -> bytes:
    plain = _unescaped(name)
    ours = naming.restore(plain)
    if ours == plain:
        return name
    return ours if plain is name else msgspec.json.encode(ours.decode())[1:-1]


def _unescaped(name: bytes) -> bytes:
    if b"\\" not in name:
        return name
    try:
        return msgspec.json.decode(b'"%b"' % name, type=str).encode()
    except (msgspec.MsgspecError, ValueError):
        return name
