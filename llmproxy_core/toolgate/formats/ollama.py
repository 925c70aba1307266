"""`ollama.chat`: calls come whole, beside the text; why it ended does not tell of them.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members
from llmproxy_core.toolgate.formats.spoken import Spoken


class Ollama:
    words = (b"tool_calls",)

    def __init__(self) -> None:
        self._spoken = Spoken(rb'"content"\s*+:\s*+"[^"]')
        self._calls: list[Call] = []
        """Of the event that was heard last: it does not wait."""

    def overhear(self, text: bytes) -> None:
        self._spoken.hear(text)

    def hear(self, told: Fields) -> Heard:
        self._calls = []
        message = members(told.get("message"))
        for one in listed(message.get("tool_calls")):
            function = members(members(one).get("function"))
            call = Call(text_of(function.get("name")), text_of(members(one).get("id")))
            call.add(function.get("arguments") or "{}")
            self._calls.append(call)
        if message.get("content"):
            self._spoken.tell()
        return Heard(self._calls, self._calls)

    def changed(self, told: Fields) -> list[Fields]:
        denied = [call for call in self._calls if call.denied]
        if not denied:
            return [told]
        message = {**members(told.get("message"))}
        calls = zip(listed(message.pop("tool_calls", None)), self._calls, strict=True)
        if left := [one for one, call in calls if not call.denied]:
            message["tool_calls"] = left
        texts = [self._spoken.say(call.said or "") for call in denied]
        message["content"] = "".join([text_of(message.get("content")), *texts])
        return [{**told, "message": message}]
