"""What is asked of the store where the memory does not reach: after a restart, or long ago."""

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from llmproxy_core.conversations.node import Asked, Node
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Response


class Recall(Protocol):
    """All of it raises DatabaseUnavailable. Nodes come oldest first."""

    def known_heads(self, ns_id: int, limit: int) -> Iterable[Hash] | None:
        """The heads of the stored requests; None where there are more than `limit`."""
        ...

    def nodes_by_heads(self, ns_id: int, heads: Sequence[Hash]) -> Sequence[Node]: ...

    def nodes_since(self, ns_id: int, since: int) -> Sequence[Node]:
        """Those that began at `since` (ns since 1970) or later."""
        ...

    def node_of_response(self, ns_id: int, response_id: str) -> Node | None:
        """The request whose answer has this id."""
        ...

    def nodes_of_session(self, ns_id: int, session: UUID) -> Sequence[Node]: ...

    def answer(self, node: Node) -> tuple[Hash, ...]:
        """The hashes of its answer; empty where there is none."""
        ...

    def asked(self, node: Node) -> Asked | None:
        """The request, as it was placed; None where it is not stored."""
        ...

    def answers_before(self, ns_id: int, at: int) -> Sequence[tuple[Node, Response]]:
        """The latest answers that hold what later requests may carry: tool calls, summaries."""
        ...
