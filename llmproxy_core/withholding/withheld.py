"""Keeps of a call how it was made, and nothing of what was said: `capture = "metadata"`.

What is written is a body of the same wire format without its texts, see `skeleton.py`, and without
a content coding. Of what cannot be read nothing is written.
"""

from collections.abc import Callable, Iterable

from llmproxy_core.masking.masker import Secret
from llmproxy_core.model import Headers
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.form import is_form, read_form
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.parsing import parse
from llmproxy_core.withholding.outline import Outline, frame
from llmproxy_core.withholding.remains import dumps
from llmproxy_core.withholding.skeleton import Skeleton


class Withheld:
    """A `keeper.Keeper`. `framed`: the bytes are lines of frames."""

    masked = 0
    skeleton = True
    again = False
    fault: Exception | None = None

    def __init__(self, wire: str, *, framed: bool = False) -> None:
        self._wire = wire
        self._framed = framed
        self._skeleton = Skeleton(wire)
        self._outline: Outline | None = None

    def frames(self) -> "Withheld":
        return Withheld(self._wire, framed=self._wire in FRAMED)

    def also(self, secrets: Iterable[Secret]) -> None:
        """No text is written anyway."""

    def request(self, headers: Headers, body: bytes, *, cut: bool = False) -> bytes:
        try:
            return self._request(headers, body, cut)
        except Exception as exc:  # noqa: BLE001  fails closed: it is not written
            self.fault = exc
            return b""

    def answer(self, status: int, headers: Headers) -> None:
        if not self._framed:
            self._outline = Outline(Skeleton(self._wire), self._wire, status, headers)

    def feed(self, chunk: bytes) -> bytes:
        if self._framed:
            return self.request([], chunk)
        return self._guarded(lambda outline: outline.write(chunk))

    def finish(self, *, complete: bool) -> bytes:
        return self._guarded(lambda outline: outline.end())

    def _request(self, headers: Headers, body: bytes, cut: bool) -> bytes:
        if self._framed:
            return b"".join(frame(self._skeleton, line) for line in body.splitlines(keepends=True))
        if cut or not body:
            return b""
        data, _ = decode_body(headers, body)
        value, _ = read_form(data) if is_form(data) else parse(data)
        return dumps(self._skeleton.of(value)) if isinstance(value, dict | list) else b""

    def _guarded(self, write: Callable[[Outline], bytes]) -> bytes:
        if self._outline is None:
            return b""
        try:
            return write(self._outline)
        except Exception as exc:  # noqa: BLE001  as above
            self.fault, self._outline = exc, None
            return b""
