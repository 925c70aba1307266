"""Requests that are only counted: `anthropic.count_tokens`, `openai.responses.input_tokens` ...

Nothing is generated and nothing is billed. Sources:
https://docs.anthropic.com/en/api/messages-count-tokens,
https://platform.openai.com/docs/api-reference/responses/input-tokens,
https://ai.google.dev/api/tokens
"""

from llmproxy_core.model import Request, Usage
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, Format, count

COUNTS = ("input_tokens", "inputTokens", "totalTokens")


class CountTokens:
    """`counted`: the format of the requests."""

    def __init__(self, counted: Format) -> None:
        self._counted = counted

    def request(self, body: Body, path: str) -> Request:
        return self._counted.request(body, path)

    def answer(self, body: Body, into: Assembler) -> None:
        for name in COUNTS:
            if name in body:
                into.usage = Usage(input_tokens=count(body[name]), raw=dict(body))
                return

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
