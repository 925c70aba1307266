"""Who decides what is written of a call's bytes; what passes is never changed by it."""

from collections.abc import Iterable
from typing import Protocol

from llmproxy_core.masking.masker import Secret
from llmproxy_core.model import Headers


class Keeper(Protocol):
    """Of one call, or of one WebSocket: then of its calls one after the other, and the bytes are
    lines of frames, see `websocket`. Else they are as on the wire, content codings and all, and so
    is what comes out.

    `masked`: what was replaced so far. `skeleton`: no text is written. `again`: what `feed` or
    `finish` gave last stands for all that they gave before of this answer. Raises nothing: what
    cannot be read is not written; `fault`: what went wrong in here, after which nothing is.
    """

    @property
    def masked(self) -> int: ...

    @property
    def skeleton(self) -> bool: ...

    @property
    def again(self) -> bool: ...

    @property
    def fault(self) -> Exception | None: ...

    def frames(self) -> "Keeper":
        """The same for the WebSocket that the call has become."""
        ...

    def also(self, secrets: Iterable[Secret]) -> None:
        """These are not written, either."""
        ...

    def request(self, headers: Headers, body: bytes, *, cut: bool = False) -> bytes:
        """What is written of the body of the request. `cut`: it is only the beginning of it."""
        ...

    def answer(self, status: int, headers: Headers) -> None:
        """The head of the answer has come; its body follows."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What may be written now that this has come; the rest later."""
        ...

    def finish(self, *, complete: bool) -> bytes:
        """The rest: no more comes."""
        ...
