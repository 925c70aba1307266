"""`openai.completions` and the formats of embeddings: a prompt without roles."""

from collections.abc import Callable, Iterator

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.transformations.dialects.dialect import Dialect, flat
from llmproxy_core.transformations.nodes import Node

COMPLETIONS = flat(
    *("max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed"),
    stop_sequences="stop",
    choice_count="n",
)


def strings(key: str) -> Callable[[Node, Role], Iterator[Node]]:
    """A string, or an array of strings, which counts as the user's."""

    def passages(holder: Node, role: Role) -> Iterator[Node]:
        found = holder.get(key)
        if found is not None and role == "user":
            for one in [found] if found.kind == "string" else found.elements():
                if one.kind == "string":
                    yield one

    return passages


PROMPT = Dialect("openai.completions", parameters=COMPLETIONS, passages=strings("prompt"))
INPUT = Dialect("openai.embeddings", passages=strings("input"), counts=True)
