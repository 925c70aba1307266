"""An answer on its way back to the client: its codings, its framing, the names in it."""

import re
from collections.abc import Callable

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.eventstream import EventStreamNames, in_base64
from llmproxy_core.namespace.incoming import AnswerNames, changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.plain_text import client_names
from llmproxy_core.namespace.spoken import SpokenNames
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.recoding import Recoder, decode_whole, encode_whole

ENVELOPED = "bedrock.invoke-with-response-stream"
NAMED_LATER = {"resp": "openai.responses", "msgbatch": "anthropic.batches"}
"""How ids of answers begin that later requests name, and the format in which they are fetched."""
ID = re.compile(rb'"id"\s*+:\s*+"((?:resp|msgbatch)_[\w-]{1,256})"')
IN_PATH = re.compile(r"/((resp|msgbatch)_[\w-]{1,256})(?=[/?]|$)")
HEAD = 4096
LATER = frozenset({*NAMED_LATER.values(), "openai.responses.compact"})


class Answer:
    """Feed it the bytes of an answer as they are on the wire, then `finish`; or give it the `whole`.

    `able`: False for a content coding that nobody here knows; then the answer is to be left alone.
    `id`: of the answer, once it has been read, where later requests may name it.
    """

    __slots__ = ("_body", "_head", "_headers", "_looking", "_recoder", "_words",
                 "id")  # fmt: skip

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
        self._headers = headers
        self._recoder = Recoder(headers)
        self._words = PLACES[wire].answer_words if wire in PLACES else ()
        self._looking = wire in LATER
        self._head = b""
        self.id = ""

    @property
    def able(self) -> bool:
        return self._recoder.able

    @property
    def fault(self) -> Exception | None:
        """What went wrong here; from there on the text passes as it came."""
        inner = None if isinstance(self._body, AnswerNames) else self._body.fault
        return self._recoder.fault or inner

    def feed(self, chunk: bytes) -> bytes:
        return self._recoder.feed(chunk, self._look if self._looking else self._body.feed)

    def finish(self) -> bytes:
        return self._recoder.finish(self._body.feed, self._body.finish)

    def whole(self, body: bytes) -> bytes:
        """All of an answer; the same bytes if nothing in it is to be changed."""
        plain = decode_whole(self._headers, body)
        if plain is None:
            return body
        if self._looking:
            self._find_id(plain)
        if isinstance(self._body, AnswerNames) and not any(word in plain for word in self._words):
            return body
        ours = self._body.feed(plain) + self._body.finish()
        return body if ours == plain else encode_whole(self._headers, ours, body)

    def _look(self, data: bytes) -> bytes:
        if self._looking:
            self._find_id(data)
        return self._body.feed(data)

    def _find_id(self, data: bytes) -> None:
        """It stands near the beginning."""
        self._head = (self._head + data[:HEAD])[:HEAD]
        if found := ID.search(self._head):
            self.id = found[1].decode()
        self._looking = not found and len(self._head) < HEAD


def fetched(path: str) -> tuple[str, str] | None:
    """The id of the answer that is fetched by a path, and its format."""
    found = IN_PATH.search(path)
    return (found[1], NAMED_LATER[found[2]]) if found else None


def _payload(wire: str, naming: Naming) -> Callable[[bytes], bytes]:
    def change(payload: bytes) -> bytes:
        return changed(payload, wire, naming)

    return in_base64(change) if wire == ENVELOPED else change
