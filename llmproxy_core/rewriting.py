"""An answer on its way back to the client: one place in which its bytes may become others.

Content codings are undone once and done again; what is within them passes through stages, in the
order of `Order`, whoever added them first.
"""

from enum import IntEnum
from typing import Protocol

from llmproxy_core.model import Headers
from llmproxy_core.providers.answer_id import AnswerId
from llmproxy_core.providers.recoding import Recoder, decode_whole, encode_whole


class Order(IntEnum):
    """What comes first is nearest to the provider."""

    NAMES = 0
    PLACEHOLDERS = 1
    TOOL_CALLS = 2


class Stage(Protocol):
    """An answer without its content codings, in any cuts. Events, lines and messages are the
    stage's own affair; it keeps back what it must, and no more.

    `fault`: what went wrong in it and was dealt with. A stage that raises is taken out: what comes
    later passes as it is.
    """

    @property
    def fault(self) -> Exception | None: ...

    def feed(self, data: bytes) -> bytes:
        """What goes on now; `data` is never empty."""
        ...

    def finish(self) -> bytes:
        """What was kept back."""
        ...

    def idle(self, body: bytes) -> bool:
        """Of an answer that is all there, instead of `feed` and `finish`: does it stay as it is?
        To be told at a glance; else False."""
        ...


class Rewriting:
    """Feed it the bytes of an answer as they are on the wire, then `finish`; or give it the `whole`.

    `able`: False for a content coding that nobody here knows; then the answer is to be left alone.
    `id`: of the answer, once it has been read, where later requests may name it.
    """

    __slots__ = ("_fault", "_headers", "_id", "_recoder", "_stages")

    def __init__(self, wire: str, headers: Headers) -> None:
        self._headers = headers
        self._recoder = Recoder(headers)
        self._stages: list[tuple[Order, Stage]] = []
        self._id = AnswerId(wire)
        self._fault: Exception | None = None

    def add(self, order: Order, stage: Stage) -> None:
        """Before anything is fed."""
        self._stages.append((order, stage))
        self._stages.sort(key=lambda one: one[0])

    @property
    def able(self) -> bool:
        return self._recoder.able

    @property
    def id(self) -> str:
        return self._id.value

    @property
    def fault(self) -> Exception | None:
        """What went wrong here; the text of that stage passes as it came from there on."""
        of_stages = (stage.fault for _, stage in self._stages)
        return self._fault or self._recoder.fault or next(filter(None, of_stages), None)

    def feed(self, chunk: bytes) -> bytes:
        return self._recoder.feed(chunk, self._through)

    def finish(self) -> bytes:
        return self._recoder.finish(self._through, self._end)

    def whole(self, body: bytes) -> bytes:
        """All of an answer; the same bytes if nothing in it is to be changed."""
        plain = decode_whole(self._headers, body)
        if plain is None:
            return body
        self._id.look(plain)
        ours = plain
        for place in [*self._stages]:
            if ours and not place[1].idle(ours):
                ours = self._fed(place, ours) + self._finished(place)
        return body if ours == plain else encode_whole(self._headers, ours, body)

    def _through(self, data: bytes) -> bytes:
        if self._id.looking:
            self._id.look(data)
        for place in self._stages:
            if not data:
                break
            data = self._fed(place, data)
        return data

    def _end(self) -> bytes:
        rest = b""
        for place in [*self._stages]:
            rest = (self._fed(place, rest) if rest else b"") + self._finished(place)
        return rest

    def _fed(self, place: tuple[Order, Stage], data: bytes) -> bytes:
        if place not in self._stages:
            return data
        try:
            return place[1].feed(data)
        except Exception as exc:  # noqa: BLE001  fails open; one that fails closed does not raise
            self._drop(place, exc)
            return data

    def _finished(self, place: tuple[Order, Stage]) -> bytes:
        if place not in self._stages:
            return b""
        try:
            return place[1].finish()
        except Exception as exc:  # noqa: BLE001  as above
            self._drop(place, exc)
            return b""

    def _drop(self, place: tuple[Order, Stage], exc: Exception) -> None:
        self._fault = self._fault or exc
        self._stages = [one for one in self._stages if one != place]


class Replacing(Rewriting):
    """Another body in place of all of an answer, whatever its content coding."""

    __slots__ = ("_body",)

    def __init__(self, wire: str, body: bytes) -> None:
        super().__init__(wire, [])
        self._body = body

    def feed(self, chunk: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return self._body

    def whole(self, body: bytes) -> bytes:
        return self._body
