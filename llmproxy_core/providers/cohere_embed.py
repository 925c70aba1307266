"""`cohere.embed`: POST /v1/embed and /v2/embed.

Source: https://docs.cohere.com/reference/embed
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, Usage, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, items, total
from llmproxy_core.providers.openai_completions import prompts
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"texts", "images", "inputs"})
MOST = 10_000
"""Images that are told."""


class CohereEmbed:
    def request(self, body: Body, path: str) -> Request:
        parts = prompts(body.get("texts"))
        for item in items(body.get("inputs")):
            parts += prompts(item.get("content"))
        images = body.get("images")
        for image in images[:MOST] if isinstance(images, list) else []:
            parts.append(Part("image", attachment(text_of(image))))
        return Request(
            model=text_of(body.get("model")) or None,
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.id = text_of(body.get("id")) or None
        into.n_embeddings = _vectors(body.get("embeddings"))
        meta = body.get("meta")
        if isinstance(meta, dict):
            units = mapping(meta.get("tokens")) or mapping(meta.get("billed_units"))
            read = total(count(units.get("input_tokens")), count(units.get("image_tokens")))
            into.usage = Usage(read, raw=dict(meta))

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True


def _vectors(embeddings: Any) -> int | None:
    """A list of vectors, or one list for each type of number: as many in each."""
    if isinstance(embeddings, dict):
        return max((len(of) for of in embeddings.values() if isinstance(of, list)), default=None)
    return len(embeddings) if isinstance(embeddings, list) else None
