"""Who decides what is written of a call's bytes; what passes is never changed by it."""

from typing import Protocol

from llmproxy_core.model import Headers


class Keeper(Protocol):
    """Of one call. The bytes are as on the wire, content codings and all, and so is what comes out.

    `masked`: what was replaced so far. `skeleton`: no text is written. Raises nothing: what cannot
    be read is not written.
    """

    @property
    def masked(self) -> int: ...

    @property
    def skeleton(self) -> bool: ...

    def request(self, headers: Headers, body: bytes) -> bytes:
        """What is written of the body of the request."""
        ...

    def answer(self, headers: Headers) -> None:
        """The head of the answer has come; its body follows."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What may be written now that this has come; the rest later."""
        ...

    def finish(self, *, complete: bool) -> bytes:
        """The rest: no more comes."""
        ...
