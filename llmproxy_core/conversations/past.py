"""All that is known of earlier requests: the memory, and behind it the store."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from llmproxy_core.conversations.calls import Calls
from llmproxy_core.conversations.chain import extended
from llmproxy_core.conversations.heads import Heads
from llmproxy_core.conversations.messages import answer_hashes
from llmproxy_core.conversations.node import Caller, Node
from llmproxy_core.conversations.recall import Recall
from llmproxy_core.conversations.sayings import Sayings
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Response, Tool

REPEAT = 300 * 10**9
"""ns in which an opening that is asked again is a repeat, and not another conversation."""
LOOK_BACK = 3600 * 10**9
"""ns before the first request after a start from which on the store is read."""
REMEMBERED = 20_000


class Past:
    """`load` comes before all else. Whatever asks the store raises DatabaseUnavailable."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self.heads = Heads(recall)
        self.calls = Calls()
        self.sayings = Sayings()
        self._responses: OrderedDict[tuple[int, str], Node] = OrderedDict()
        self._agents: OrderedDict[tuple[UUID, str], Node] = OrderedDict()
        self._clients: OrderedDict[tuple[int, tuple[str, ...]], Node] = OrderedDict()
        self._loaded: set[int] = set()

    def load(self, ns_id: int, at: int) -> None:
        """What was going on at a time, the first that this process hears of a namespace."""
        if ns_id in self._loaded:
            return
        nodes = self._recall.nodes_since(ns_id, at - LOOK_BACK)
        told = self._recall.answers_before(ns_id, at)
        for node in nodes:
            self._note(self._adopt(node))
        for node, response in told:
            self._tell(self._adopt(node), response)
        self._loaded.add(ns_id)

    def answer(self, node: Node) -> tuple[Hash, ...]:
        """The hashes of a request's answer; empty while there is none."""
        if node.answer is None:
            node.answer = self._recall.answer(node)
        return node.answer

    def tools(self, node: Node) -> Hash:
        """The hash of the tools that a request offers."""
        if not node.tools and (asked := self._recall.asked(node)):
            node.tools = tools_hash(asked.request.tools)
        return node.tools

    def tip(self, node: Node, response_id: str) -> Hash:
        """The prefix hash of all that was said up to the end of an answer."""
        if not node.head:
            return content_hash(response_id.encode("utf-8", "surrogatepass"))
        return [node.head, *extended(node.head, list(self.answer(node)))][-1]

    def of_response(self, ns_id: int, response_id: str) -> Node | None:
        """The request whose answer has this id."""
        node = self._responses.get((ns_id, response_id))
        if node is None and (node := self._recall.node_of_response(ns_id, response_id)):
            node = self._adopt(node)
            _remember(self._responses, (ns_id, response_id), node)
        return node

    def latest(self, ns_id: int, session: UUID, agent: str) -> Node | None:
        """The last turn of an agent in a session that its client names; "" is the main agent."""
        if agent or (session, "") in self._agents:
            return self._agents.get((session, agent))
        helpers: set[UUID | None] = set()
        found = None
        for node in self._recall.nodes_of_session(ns_id, session):
            if node.relation == "subagent" or node.parent in helpers:
                helpers.add(node.id)
            elif node.head:
                found = node
        return self._adopt(found) if found else None

    def latest_of(self, caller: Caller, at: int) -> Node | None:
        """The last turn of a client, if it was not long ago."""
        node = self._clients.get((caller.ns_id, caller.client))
        return node if node and node.at >= at - REPEAT else None

    def add(self, node: Node) -> None:
        """A request has been placed."""
        if node.head and not node.aside:
            self.heads.add(node)
            self._note(node)
            if node.caller.session is not None:
                _remember(self._agents, (node.session, node.caller.agent or ""), node)

    def home(self, node: Node) -> tuple[UUID | None, UUID | None]:
        """The session, or the request that begins the one, of what follows a request.

        An opening that was repeated though its answer was whole was no repeat, if there is more
        to come: it is another conversation, that begins alike.
        """
        turn = node.turn
        if turn is not node and not node.spoken and turn.relation == "root":
            same = self.heads.at(node.ns_id, node.head)
            if any(one.whole and one.turn is turn and one.id < node.id for one in same):
                return None, node.id
        return node.session, None

    def answered(self, node: Node, wire: str, response: Response, at: int) -> None:
        """The answer to a request has ended, at `at`."""
        node.at = max(node.at, at)
        node.answer = answer_hashes(wire, response)
        node.whole = bool(node.answer) and response.error is None and not response.incomplete
        if response.id:
            _remember(self._responses, (node.ns_id, response.id), node)
        if node.head and not node.aside:
            self._tell(node, response)

    def _note(self, node: Node) -> None:
        _remember(self._clients, (node.ns_id, node.caller.client), node)

    def _tell(self, node: Node, response: Response) -> None:
        if response.tool_calls:
            self.calls.add(node, node.caller.machine, response.tool_calls)
        self.sayings.add(node, node.caller.machine, response)

    def _adopt(self, node: Node) -> Node:
        """A request out of the store; the same one, if it is in memory."""
        if not node.head:
            return node
        known = self.heads.add(node)
        if known is node and node.relation == "retry":
            same = self.heads.at(node.ns_id, node.head)
            node.repeats = next((one for one in same if one.id == node.parent), None)
        return known


def tools_hash(tools: Sequence[Tool]) -> Hash:
    names = "\0".join(tool.name for tool in tools)
    return content_hash(b"tools " + names.encode("utf-8", "surrogatepass"))


def _remember[K](table: OrderedDict[K, Node], key: K, node: Node) -> None:
    table[key] = node
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
