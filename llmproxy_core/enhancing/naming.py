"""The id that an answer has, where later requests may name it instead of repeating it."""

from collections.abc import Callable

from llmproxy_core import turns
from llmproxy_core.model import Headers
from llmproxy_core.providers.answer_id import HEAD, LATER, AnswerId
from llmproxy_core.providers.encoding import Decoder

CREATED = b'"response.created"'


class Listener:
    """Hears the bytes of an answer until its id is known. `over`: there is nothing more to hear."""

    __slots__ = ("_decoder", "_id", "_told")

    def __init__(self, wire: str, headers: Headers, told: Callable[[str], None]) -> None:
        self._decoder = Decoder(headers)
        self._id = AnswerId(wire)
        self._told = told

    @property
    def over(self) -> bool:
        return not self._id.looking

    def hear(self, chunk: bytes) -> None:
        for data in self._decoder.feed(chunk):
            if self._id.looking:
                self._id.look(data)
        if self._id.value:
            self._told(self._id.value)


def is_named(wire: str) -> bool:
    """May later requests name answers of this format?"""
    return wire in LATER


def id_in(wire: str, frame: bytes) -> str:
    """Of the answer that a provider's frame begins; "": it begins none."""
    if wire != turns.RESPONSES or CREATED not in frame[:HEAD]:
        return ""
    found = AnswerId("openai.responses")
    found.look(frame)
    return found.value
