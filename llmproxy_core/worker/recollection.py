"""What the store remembers of conversations, in the words of `conversations`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from uuid import UUID

from llmproxy_core.conversations.messages import answer_hashes
from llmproxy_core.conversations.node import Asked, Caller, Node
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Response
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.settings import is_unique
from llmproxy_core.store import detail, kin
from llmproxy_core.store.database import Database
from llmproxy_core.worker.moments import nanoseconds
from llmproxy_core.worker.naming import WEAK, address

MS = 10**6
TOLD = 3_600_000
"""ms: how far back tool calls and summaries are read again after a restart."""


class Recollection(ABC):
    """A `conversations.recall.Recall`. Raises DatabaseUnavailable."""

    @abstractmethod
    def database(self) -> Database:
        """Connected, with its schema."""

    def known_heads(self, ns_id: int, limit: int) -> Iterable[Hash] | None:
        with self.database().connect() as connection:
            return kin.heads(connection, ns_id, limit)

    def nodes_by_heads(self, ns_id: int, heads: Sequence[Hash]) -> Sequence[Node]:
        with self.database().connect() as connection:
            rows = kin.by_heads(connection, ns_id, [UUID(bytes=head) for head in heads])
        return [node(ns_id, row) for row in rows]

    def nodes_since(self, ns_id: int, since: int) -> Sequence[Node]:
        with self.database().connect() as connection:
            rows = kin.since(connection, ns_id, since // MS)
        return _related(ns_id, rows)

    def node_of_response(self, ns_id: int, response_id: str) -> Node | None:
        with self.database().connect() as connection:
            row = kin.of_response(connection, ns_id, response_id)
        return node(ns_id, row) if row else None

    def nodes_of_session(self, ns_id: int, session: UUID) -> Sequence[Node]:
        with self.database().connect() as connection:
            return _related(ns_id, kin.of_session(connection, ns_id, session))

    def answer(self, node: Node) -> tuple[Hash, ...]:
        with self.database().connect() as connection:
            found = detail.reread(connection, node.ns_id, node.id)
        return answer_hashes(*found) if found else ()

    def asked(self, node: Node) -> Asked | None:
        with self.database().connect() as connection:
            row = detail.request(connection, node.ns_id, node.id)
        if row is None:
            return None
        body, _ = decode_body(row.headers, row.body)
        request, _ = read_request(row.wire, row.path, [], body)
        previous = request.session_hints.get("previous_response_id")
        return Asked(node.id, node.at, row.wire, node.caller, request, body, previous, True)

    def answers_before(self, ns_id: int, at: int) -> Sequence[tuple[Node, Response]]:
        told = []
        with self.database().connect() as connection:
            for row in kin.told_since(connection, ns_id, at // MS - TOLD):
                if found := detail.reread(connection, ns_id, row.id):
                    one = node(ns_id, row)
                    one.answer = answer_hashes(*found)
                    told.append((one, found[1]))
        return told


def node(ns_id: int, row: kin.Kin) -> Node:
    """What is known of a stored request; who of several agents asked is not."""
    weak = row.source in WEAK and not is_unique(row.external_id or "")
    machine = (str(ns_id), address(row.client), row.proxy_user or "")
    hint = (row.external_id or "") if weak else ""
    caller = Caller(
        ns_id=ns_id,
        place=row.client,
        client=(*machine, row.user_agent or "", row.credential or "", hint),
        machine=machine,
        session=row.session_id if row.external_id and not weak else None,
        agent=None,
    )
    return Node(
        id=row.id,
        session=row.session_id,
        at=nanoseconds(row.ended_at or row.started_at),
        caller=caller,
        head=row.head.bytes if row.head else b"",
        count=row.n_messages,
        spoken=row.n_messages >= kin.SPOKEN,
        relation=row.relation,
        parent=row.parent_id,
        whole=row.state == "complete",
        continued=row.continued,
    )


def _related(ns_id: int, rows: Sequence[kin.Kin]) -> list[Node]:
    """With the tool calls that sub-agents among them carry out."""
    nodes = {row.id: node(ns_id, row) for row in rows}
    for row in rows:
        if row.relation == "subagent" and (caller := nodes.get(row.parent_id or row.id)):
            caller.called.add(row.parent_call or "")
    return list(nodes.values())
