"""Thoughts that a provider has signed, as Claude's are: who sends them back must not change them.

So placeholders in them are not restored on their way to the client, and come back as they were.
Sources: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningTextBlock.html
"""

import msgspec

from llmproxy_core.namespace.grammar import Node, Text
from llmproxy_core.namespace.prose import NOWHERE, REFUSED, Prose, Scope
from llmproxy_core.namespace.whole import Fields

SIGNATURE = "signature"
THOUGHT: dict[str, Node] = {
    "thinking": Text(frozenset({"thinking"})),
    "reasoningContent": {"reasoningText": {"text": Text()}},
}
TURNS: dict[str, Node] = {"messages": [{"content": [THOUGHT]}]}
REQUESTS: dict[str, Node] = {
    "anthropic.messages": TURNS,
    "anthropic.count_tokens": TURNS,
    "anthropic.batches": {"requests": [{"params": TURNS}]},
    "bedrock.converse": TURNS,
    "bedrock.converse-stream": TURNS,
    "bedrock.invoke": TURNS,
    "bedrock.invoke-with-response-stream": TURNS,
    "bedrock.count_tokens": {"input": {"converse": TURNS}},
}
"""Where a wire format has them."""
_ANTHROPIC = frozenset(
    {
        (b"content", b"thinking"),
        (b"message", b"content", b"thinking"),
        (b"content_block", b"thinking"),
        (b"delta", b"thinking"),
        (b"result", b"message", b"content", b"thinking"),
    }
)
_CONVERSE = frozenset(
    {
        (b"output", b"message", b"content", b"reasoningContent", b"reasoningText", b"text"),
        (b"delta", b"reasoningContent", b"text"),
        (b"contentBlockDelta", b"delta", b"reasoningContent", b"text"),
    }
)


def signed_thoughts(wire: str, body: bytes) -> list[tuple[int, int]]:
    """Where they stand in a request, without quotes; in order."""
    grammar = REQUESTS.get(wire)
    if grammar is None or b'"signature"' not in body:
        return []
    reader = _Signed(body)
    try:
        reader.read(grammar)
    except REFUSED:
        return []
    return [(one.start, one.end) for one in reader.passages]


def answered_thoughts(wire: str) -> frozenset[tuple[bytes, ...]]:
    """The keys that lead to them in an answer, or an event of one."""
    return _ANTHROPIC | _CONVERSE if wire in REQUESTS else frozenset()


class _Signed(Prose):
    __slots__ = ()

    def value(
        self, raw: bytes | msgspec.Raw, at: int, node: Node, fields: Fields, scope: Scope,
        levels: int,
    ) -> None:  # fmt: skip
        if isinstance(node, Text) and len(fields.get(SIGNATURE, b"")) <= len(b'""'):
            return
        super().value(raw, at, node, fields, scope or NOWHERE, levels)
