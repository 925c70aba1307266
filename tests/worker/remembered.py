"""What a store in memory remembers of conversations, read out of its rows as `kin` does."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from llmproxy_core.conversations.messages import answer_hashes
from llmproxy_core.conversations.node import Asked, Node
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Response
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store.kin import LONG, SPOKEN, Kin
from llmproxy_core.worker.moments import nanoseconds
from llmproxy_core.worker.recollection import TOLD, node


class Remembered:
    """A `conversations.recall.Recall`. `queries` counts how often it was asked for heads."""

    requests: dict[UUID, Any]
    responses: dict[UUID, Any]
    sessions: dict[UUID, dict[str, Any]]
    queries = 0

    def known_heads(self, ns_id: int, limit: int) -> list[Hash] | None:
        found = [row.head for row in self._turns(ns_id)]
        return found if len(found) <= limit else None

    def nodes_by_heads(self, ns_id: int, heads: Sequence[Hash]) -> list[Node]:
        self.queries += 1
        return [self._node(row) for row in self._turns(ns_id) if row.head in heads]

    def nodes_since(self, ns_id: int, since: int) -> list[Node]:
        rows = [row for row in self._turns(ns_id) if nanoseconds(row.started_at) >= since]
        return self._related(rows)

    def node_of_response(self, ns_id: int, response_id: str) -> Node | None:
        found = [row.id for row in self.responses.values() if row.response_id == response_id]
        rows = [self.requests[id] for id in found if self.requests[id].ns_id == ns_id]
        return self._node(max(rows, key=lambda row: row.id)) if rows else None

    def nodes_of_session(self, ns_id: int, session: UUID) -> list[Node]:
        return self._related([r for r in self._of(ns_id) if r.session_id == session])

    def answer(self, node: Node) -> tuple[Hash, ...]:
        found = self._read(node.id)
        return answer_hashes(*found) if found else ()

    def answers_before(self, ns_id: int, at: int) -> list[tuple[Node, Response]]:
        told = []
        for row in self._turns(ns_id):
            found = self._read(row.id)
            if found and nanoseconds(row.started_at) >= at - TOLD * 10**6:
                long = row.n_messages >= SPOKEN
                long = long and (self.responses[row.id].output_tokens or 0) >= LONG
                if found[1].tool_calls or long:
                    one = self._node(row)
                    one.answer = answer_hashes(*found)
                    told.append((one, found[1]))
        return told

    def asked(self, node: Node) -> Asked | None:
        row = self.requests.get(node.id)
        if row is None:
            return None
        request, _ = read_request(row.wire, row.path, row.headers, row.body)
        previous = request.session_hints.get("previous_response_id")
        return Asked(node.id, node.at, row.wire, node.caller, request, row.body, previous, True)

    def _of(self, ns_id: int) -> list[Any]:
        rows = [row for row in self.requests.values() if row.ns_id == ns_id]
        return sorted(rows, key=lambda row: row.id)

    def _turns(self, ns_id: int) -> list[Any]:
        return [row for row in self._of(ns_id) if row.head is not None]

    def _related(self, rows: list[Any]) -> list[Node]:
        nodes = {row.id: self._node(row) for row in rows}
        for row in rows:
            if row.relation == "subagent" and row.parent_id in nodes:
                nodes[row.parent_id].called.add(row.parent_call or "")
        return list(nodes.values())

    def _node(self, row: Any) -> Node:
        session, answer = self.sessions[row.session_id], self.responses.get(row.id)
        kin = Kin(
            row.id,
            row.session_id,
            row.started_at,
            answer.ended_at if answer else None,
            answer.state if answer else None,
            row.client,
            row.proxy_user,
            row.user_agent,
            row.credential,
            UUID(bytes=row.head) if row.head else None,
            row.n_messages,
            row.relation,
            row.parent_id,
            row.parent_call,
            session["external_id"],
            session["source"],
            any(
                one.parent_id == row.id and one.relation in ("append", "branch")
                for one in self.requests.values()
            ),
        )
        return node(row.ns_id, kin)

    def _read(self, id: UUID) -> tuple[str, Response] | None:
        row, asked = self.responses.get(id), self.requests[id]
        if row is None:
            return None
        reader = AnswerReader(asked.wire, row.status or 0, row.headers, asked.path)
        reader.feed(row.body)
        return asked.wire, reader.finish()
