"""Names put back in bytes that pass: what is found is restored, what is unfinished waits."""

from llmproxy_core.namespace.grammar import Name
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.walk import Found


class Restore:
    """A name as the client knows it. With `pieces` a name may come in several, as text does."""

    __slots__ = ("_begun", "_naming", "_pieces")

    def __init__(self, naming: Naming, pieces: bool) -> None:
        self._naming = naming
        self._pieces = pieces
        self._begun = b""

    def __call__(self, name: bytes, place: Name) -> bytes:
        """All that can be told of the name so far, and has not been told."""
        naming = self._naming
        if place.known:
            return naming.restore(name) if naming.knows(name) else name
        if not self._pieces or naming.knows(name):
            self._begun = b""
            return naming.restore(name)
        whole = self._begun + name
        if not naming.knows(whole) and naming.may_begin(whole):
            self._begun = whole
            return b""
        self._begun = b""
        return naming.restore(whole) if name else name

    def cut(self, start: bytes) -> bytes:
        """The start of a name whose end never came."""
        prefix = self._naming.prefix
        if start.startswith(prefix):
            return start[len(prefix) :]
        return b"" if prefix.startswith(start) else start


class Held:
    """Bytes on their way: of a name that has begun nothing goes on before it ends.

    Offsets count from the first byte that was added, after those that were `skip`ped.
    """

    __slots__ = ("_base", "_edits", "_raw", "_restore")

    def __init__(self, restore: Restore) -> None:
        self._restore = restore
        self._raw = b""
        self._base = 0
        self._edits: list[Edit] = []

    def skip(self, size: int) -> None:
        """That many bytes have gone on already."""
        self._base += size

    def add(self, data: bytes) -> None:
        self._raw = self._raw + data if self._raw else data

    def found(self, names: list[Found], origin: int = 0) -> None:
        """Names at offsets from `origin`."""
        for one in names:
            start, end = one.start + origin - self._base, one.end + origin - self._base
            name = self._raw[start:end]
            if one.holds and (restored := self._restore(name, one.place)) != name:
                self._edits.append((start, end, restored))

    def take(self, upto: int | None) -> bytes:
        """What may go on: all, or what is before `upto`."""
        if upto is None and not self._edits:
            out, self._raw = self._raw, b""
            self._base += len(out)
            return out
        end = len(self._raw) if upto is None else upto - self._base
        out = edited(self._raw[:end], self._edits)
        self._raw = self._raw[end:]
        self._base += end
        self._edits = []
        return out

    def finish(self) -> bytes:
        """What is left at the end: nothing, or the start of a name."""
        start, self._raw = self._raw, b""
        return start[:1] + self._restore.cut(start[1:]) if start else b""
