"""The names in an answer, on its way back to the client."""

from collections.abc import Callable

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.eventstream import EventStreamNames, in_base64
from llmproxy_core.namespace.incoming import AnswerNames, changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.plain_text import client_names
from llmproxy_core.namespace.spoken import SpokenNames
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.rewriting import Order, Rewriting

ENVELOPED = "bedrock.invoke-with-response-stream"


class RestoredNames:
    """A stage that puts the client's names back, see `rewriting`."""

    __slots__ = ("_body", "_words", "feed", "finish")

    def __init__(self, wire: str, naming: Naming, headers: Headers) -> None:
        told = content_type(header(headers, "content-type") or "")
        self._body: AnswerNames | EventStreamNames | SpokenNames
        if told.eventstream:
            self._body = EventStreamNames(_payload(wire, naming))
        else:
            self._body = AnswerNames(wire, naming, lines=told.lines)
        texts = PLACES[wire].answer_text if naming.plain_text and wire in PLACES else None
        if texts is not None and (back := client_names(naming)):
            self._body = SpokenNames(
                self._body,
                texts,
                back,
                naming.prefix,
                frames=told.eventstream,
                lines=told.lines,
            )
        self._words = PLACES[wire].answer_words if wire in PLACES else ()
        self.feed = self._body.feed
        self.finish = self._body.finish

    @property
    def fault(self) -> Exception | None:
        return None if isinstance(self._body, AnswerNames) else self._body.fault

    def idle(self, body: bytes) -> bool:
        """Is there no key of a name?"""
        return isinstance(self._body, AnswerNames) and not any(word in body for word in self._words)


def restoring(wire: str, naming: Naming, headers: Headers) -> Rewriting:
    """An answer of which only the names become others."""
    rewriting = Rewriting(wire, headers)
    rewriting.add(Order.NAMES, RestoredNames(wire, naming, headers))
    return rewriting


def _payload(wire: str, naming: Naming) -> Callable[[bytes], bytes]:
    def change(payload: bytes) -> bytes:
        return changed(payload, wire, naming)

    return in_base64(change) if wire == ENVELOPED else change
