"""Keeps of a call how it was made, and nothing of what was said: `capture = "metadata"`.

What is written is a body of the same wire format without its texts, see `skeleton.py`, and without
a content coding. Of what cannot be read nothing is written.
"""

from collections.abc import Iterable

from llmproxy_core.model import Headers
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.form import is_form, read_form
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.parsing import parse
from llmproxy_core.redaction.masking import Secret
from llmproxy_core.redaction.outline import Outline, frame
from llmproxy_core.redaction.remains import dumps
from llmproxy_core.redaction.skeleton import Skeleton


class Withheld:
    """A `keeper.Keeper`. `limit`: bytes of an answer that are held, for who judges it at its end."""

    masked = 0
    skeleton = True

    def __init__(self, wire: str, limit: int = 0, *, framed: bool = False) -> None:
        self._wire = wire
        self._framed = framed
        self._skeleton = Skeleton(wire)
        self._outline: Outline | None = None
        self._limit = limit
        self._held: list[bytes] | None = []
        self._size = 0
        self._head: tuple[int, Headers] = (0, [])

    def frames(self) -> "Withheld":
        return Withheld(self._wire, self._limit, framed=self._wire in FRAMED)

    def also(self, secrets: Iterable[Secret]) -> None:
        """No text is written anyway."""

    def request(self, headers: Headers, body: bytes, *, cut: bool = False) -> bytes:
        if self._framed:
            return b"".join(frame(self._skeleton, line) for line in body.splitlines(keepends=True))
        if cut or not body:
            return b""
        data, _ = decode_body(headers, body)
        value, _ = read_form(data) if is_form(data) else parse(data)
        return dumps(self._skeleton.of(value)) if isinstance(value, dict | list) else b""

    def answer(self, status: int, headers: Headers) -> None:
        self._head = (status, headers)
        self._held, self._size = [], 0
        self._outline = Outline(Skeleton(self._wire), self._wire, status, headers)

    def feed(self, chunk: bytes) -> bytes:
        self._hold(chunk)
        if self._framed:
            return self.request([], chunk)
        return self._outline.write(chunk) if self._outline is not None else b""

    def finish(self, *, complete: bool) -> bytes:
        outline, self._outline = self._outline, None
        return outline.end() if outline is not None else b""

    def heard(self) -> tuple[int, Headers, list[bytes]] | None:
        """Status, headers and bytes of the answer, which are forgotten; None: there were too many."""
        held, self._held = self._held, []
        return None if held is None else (*self._head, held)

    def _hold(self, chunk: bytes) -> None:
        if self._held is None:
            return
        self._size += len(chunk)
        if self._size > self._limit:
            self._held = None
        else:
            self._held.append(chunk)
