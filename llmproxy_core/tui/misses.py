"""Missed prompt caches of a session: which calls to look at, and what is known about them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from llmproxy_core.conversations.cache import IMPLICIT, LEAST, STEP, Miss
from llmproxy_core.store.tree import FAR, SAME, TreeNode
from llmproxy_core.tui import figures, plain

EXPLAINED = 300
"""Calls, the latest that may have missed a cache, whose prompts are compared: two bodies each."""


class Misses:
    """`found`: by call; None: it was looked at, and there is nothing to tell."""

    def __init__(self) -> None:
        self.found: dict[UUID, Miss | None] = {}

    def of(self, id: UUID) -> Miss | None:
        return self.found.get(id)

    def unknown(self, nodes: Sequence[TreeNode]) -> list[UUID]:
        """Calls to be looked at, the newest first."""
        by_id = {node.id: node for node in nodes}
        suspects = [node.id for node in reversed(nodes) if suspicious(node, by_id)]
        return [id for id in suspects[:EXPLAINED] if id not in self.found]

    def lost(self, nodes: Sequence[TreeNode]) -> int:
        """Tokens that could have been read from caches."""
        return sum(miss.lost for node in nodes if (miss := self.of(node.id)))

    def cost(self) -> tuple[int, Decimal]:
        """How many calls missed a cache, and the USD that it cost."""
        misses = [miss for miss in self.found.values() if miss]
        return len(misses), sum((miss.cost_usd or Decimal(0) for miss in misses), Decimal(0))


def suspicious(node: TreeNode, by_id: Mapping[UUID, TreeNode]) -> bool:
    """Did it read clearly less than the call before may have left in a cache?

    The numbers alone decide, so that few bodies have to be compared.
    """
    if node.relation not in SAME or node.input_tokens is None or node.parent_id is None:
        return False
    before = _answered(node, by_id)
    if before is None:
        return node.parent_id not in by_id and (node.cached_tokens or 0) < node.input_tokens
    expected = min(_may_be_cached(before), node.input_tokens)
    return expected - (node.cached_tokens or 0) >= max(2 * STEP, expected // 10)


def _answered(node: TreeNode, by_id: Mapping[UUID, TreeNode]) -> TreeNode | None:
    for _ in range(FAR):
        before = by_id.get(node.parent_id) if node.parent_id else None
        if before is None or node.relation not in SAME or before.input_tokens is not None:
            return before if node.relation in SAME else None
        node = before
    return None


def _may_be_cached(before: TreeNode) -> int:
    told = (before.cached_tokens or 0) + (before.cache_write_tokens or 0)
    if before.cache_write_tokens:
        return told
    tokens = before.input_tokens or 0
    caches = tokens >= LEAST and (told or before.provider in IMPLICIT)
    return max(told, tokens) if caches else told


def explanation(miss: Miss) -> str:
    """What changed, at which message, what it cost and whose doing it was: one or two sentences."""
    parts = [f"{plain.line(miss.sentence)}."]
    if miss.cost_usd:
        parts.append(f"It cost {figures.usd(miss.cost_usd)} more.")
    if miss.change is not None and miss.cause != "time" and (miss.change.was or miss.change.now):
        was, now = plain.line(miss.change.was, 60), plain.line(miss.change.now, 60)
        parts.append(f"Before: {was or 'nothing'} | now: {now or 'nothing'}")
    return " ".join(parts)
