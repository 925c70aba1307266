"""`gemini.batches`: batchGenerateContent of the Gemini API; its answers are fetched from elsewhere.

The requests are in it, or in a file that was uploaded before. Source:
https://ai.google.dev/api/batch-api
"""

from llmproxy_core.model import Message, Part, Request, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, items
from llmproxy_core.providers.gemini import Gemini, pick
from llmproxy_core.providers.model_path import model_in_path

SHOWN = 100
"""Requests of a batch whose messages are told."""
GEMINI = Gemini()


class GeminiBatches:
    def request(self, body: Body, path: str) -> Request:
        config = mapping(pick(mapping(body.get("batch")), "inputConfig", "input_config"))
        listed = items(mapping(config.get("requests")).get("requests"))
        messages: list[Message] = []
        tools = []
        for one in listed[:SHOWN]:
            inner = GEMINI.request(mapping(one.get("request")), path)
            named = Part("other", f"request {text_of(mapping(one.get('metadata')).get('key'))}")
            messages += [Message("system", [named, *inner.system]), *inner.messages]
            tools += inner.tools
        if len(listed) > SHOWN:
            messages.append(Message("system", [Part("other", f"{len(listed) - SHOWN} more")]))
        model = model_in_path(path.partition("?")[0])
        return Request(model, messages=messages, tools=tools, parameters={"requests": len(listed)})

    def answer(self, body: Body, into: Assembler) -> None:
        into.id = into.id or text_of(body.get("name")) or None
        if state := text_of(mapping(body.get("metadata")).get("state")):
            into.finish(state)
        into.error = into.error or read_error(body)
        into.closed = True

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
