"""What is new in a call, as words for the search.

A conversation sends all of its past with every turn. The words of what was sent last, and of the
answer, are always taken; those of earlier messages and of the system's text only where this worker
has not seen the text before.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from llmproxy_core.model import Message, Part, Request, Response
from llmproxy_core.store.call_rows import SearchRow
from llmproxy_core.words import hashed, words

REMEMBERED = 100_000
"""Texts, by their hash."""
UNTOLD = frozenset({"image", "audio", "document"})
"""Their text is a description of ours."""


class Vocabulary:
    """Knows the texts it has seen. Not thread-safe."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._remembered = remembered

    def asked(self, request: Request) -> set[bytes]:
        """The words of what is new in a request."""
        found: set[bytes] = set()
        last = _last_turn(request.messages)
        for part in request.system:
            if self._is_new(part):
                found |= words(part.text)
        for number, message in enumerate(request.messages):
            said_now = number >= last and message.role != "system"
            for part in message.parts:
                if (self._is_new(part) or said_now) and part.kind not in UNTOLD:
                    found |= words(part.text)
        return found

    def answered(self, response: Response) -> set[bytes]:
        """The words of an answer: text, reasoning, tool calls."""
        found: set[bytes] = set()
        for part in response.parts:
            self._is_new(part)
        for text in _texts(response):
            found |= words(text)
        return found

    def _is_new(self, part: Part) -> bool:
        if not part.text or not self._note(hash(part.text)):
            return False
        # clients write the JSON of a call anew
        return part.kind != "tool_call" or self._note(hash("".join(part.text.split())) ^ 1)

    def _note(self, key: int) -> bool:
        """Was it not known? It is now."""
        seen = self._seen
        if key in seen:
            seen.move_to_end(key)
            return False
        seen[key] = None
        if len(seen) > self._remembered:
            seen.popitem(last=False)
        return True


def search_row(ns_id: int, id: UUID, asked: set[bytes], answered: set[bytes]) -> SearchRow | None:
    found = hashed(asked | answered)
    return SearchRow(ns_id, id, found) if found else None


def _last_turn(messages: list[Message]) -> int:
    """Where the messages begin that follow the last one of the assistant."""
    for number in range(len(messages) - 1, -1, -1):
        if messages[number].role == "assistant":
            return number + 1
    return 0


def _texts(response: Response) -> Iterable[str]:
    yield from response.texts
    yield response.reasoning
    yield response.refusal or ""
    for call in response.tool_calls:
        yield call.name
        yield call.arguments
