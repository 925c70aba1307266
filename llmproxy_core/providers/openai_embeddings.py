"""`openai.embeddings`: POST /embeddings, of OpenAI, Azure, Mistral, Voyage, vLLM and others.

Source: https://platform.openai.com/docs/api-reference/embeddings
"""

from llmproxy_core.model import Message, Request, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, deployment, items
from llmproxy_core.providers.openai_chat import read_usage
from llmproxy_core.providers.openai_completions import prompts
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"input", "inputs"})


class OpenAIEmbeddings:
    def request(self, body: Body, path: str) -> Request:
        parts = prompts(body.get("input", body.get("inputs")))
        return Request(
            model=text_of(body.get("model")) or deployment(path),
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.id = text_of(body.get("id")) or None
        into.model = text_of(body.get("model")) or None
        usage = body.get("usage")
        if isinstance(usage, dict):
            into.usage = read_usage(usage)
            if into.usage.input_tokens is None and "total_tokens" in usage:
                into.usage = read_usage({"prompt_tokens": usage["total_tokens"]})
                into.usage.raw = dict(usage)
        if isinstance(data := body.get("data"), list):
            into.n_embeddings = len(items(data))

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
