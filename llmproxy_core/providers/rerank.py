"""`cohere.rerank` and `rerank`: a query and documents -> their order, of Cohere, Voyage and others.

Source: https://docs.cohere.com/reference/rerank
"""

from llmproxy_core.model import Message, Part, Request, Usage, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, count, items
from llmproxy_core.providers.openai_completions import prompts
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"query", "documents"})
SHOWN = 20
"""Results that are told."""


class Rerank:
    def request(self, body: Body, path: str) -> Request:
        query = text_of(body.get("query"))
        documents = [Part("document", part.text) for part in prompts(body.get("documents"))]
        parts = [Part("text", query), *documents] if query else documents
        return Request(
            model=text_of(body.get("model")) or None,
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.choice()
        into.id = text_of(body.get("id")) or None
        into.model = text_of(body.get("model")) or None
        results = items(body.get("results")) or items(body.get("data"))
        for result in results[:SHOWN]:
            shown = f"document {result.get('index')}: {result.get('relevance_score')}"
            into.part(Part("other", shown))
        told = body.get("usage", body.get("meta"))
        if isinstance(told, dict):
            tokens = mapping(told.get("tokens")) or told
            read = count(tokens.get("input_tokens", tokens.get("total_tokens")))
            written = count(tokens.get("output_tokens"))
            into.usage = Usage(read, written, raw=dict(told))

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
