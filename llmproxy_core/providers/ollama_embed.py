"""`ollama.embed`: POST /api/embed, and the older /api/embeddings with one vector.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from llmproxy_core.model import Message, Request, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body
from llmproxy_core.providers.ollama_chat import read_usage
from llmproxy_core.providers.openai_completions import prompts
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"input", "prompt"})


class OllamaEmbed:
    def request(self, body: Body, path: str) -> Request:
        parts = prompts(body.get("input", body.get("prompt")))
        return Request(
            model=text_of(body.get("model")) or None,
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.model = text_of(body.get("model")) or None
        if "prompt_eval_count" in body:
            into.usage = read_usage(body)
        if isinstance(vectors := body.get("embeddings"), list):
            into.n_embeddings = len(vectors)
        elif isinstance(body.get("embedding"), list):
            into.n_embeddings = 1

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
