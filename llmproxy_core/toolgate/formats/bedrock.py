"""`bedrock.invoke`: in the words of whoever made the model, which the first event tells."""

from llmproxy_core.toolgate.call import Fields, Format, Heard
from llmproxy_core.toolgate.formats.anthropic import Anthropic
from llmproxy_core.toolgate.formats.chat import Chat
from llmproxy_core.toolgate.formats.cohere import Cohere
from llmproxy_core.toolgate.formats.converse import Converse, opened

MAKERS = (Anthropic, Chat, Cohere, Converse)


class Invoke:
    words = tuple(dict.fromkeys(word for maker in MAKERS for word in maker.words))

    def __init__(self) -> None:
        self._overheard: list[bytes] = []
        self._inner: Format | None = None

    def overhear(self, text: bytes) -> None:
        if self._inner is not None:
            self._inner.overhear(text)
        elif b'"content"' in text:
            self._overheard = [text]

    def hear(self, told: Fields) -> Heard:
        if self._inner is None:
            self._inner = _maker(told)
            for text in self._overheard:
                self._inner.overhear(text)
        return self._inner.hear(told)

    def changed(self, told: Fields) -> list[Fields]:
        return self._inner.changed(told) if self._inner else [told]


def _maker(told: Fields) -> Format:
    if "choices" in told:
        return Chat()
    if "output" in told or opened(told)[0]:
        return Converse()
    if told.get("type") == "message" or str(told.get("type")).startswith(
        ("content_block", "message_")
    ):
        return Anthropic()
    return Cohere()
