"""Every wire format that is not read in full: stored and shown as it is.

Where the body is JSON, the few things that nearly all formats spell alike are still taken.
"""

from llmproxy_core.model import Request, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body
from llmproxy_core.providers.model_path import model_in_path
from llmproxy_core.providers.openai_chat import read_usage as chat_usage
from llmproxy_core.providers.openai_responses import read_usage as responses_usage
from llmproxy_core.providers.settings import session_hints

METHODS = (":stream", "-stream", "with-response-stream")


class Raw:
    def request(self, body: Body, path: str) -> Request:
        path = path.partition("?")[0]
        return Request(
            model=text_of(body.get("model")) or model_in_path(path),
            stream=body.get("stream") is True or any(word in path for word in METHODS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.id = into.id or text_of(body.get("id")) or None
        into.model = into.model or text_of(body.get("model")) or None
        usage = mapping(body.get("usage"))
        if "prompt_tokens" in usage:
            into.usage = chat_usage(usage)
        elif "input_tokens" in usage:
            into.usage = responses_usage(usage)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
