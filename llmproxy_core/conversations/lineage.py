"""Finds for each request the one it continues.

By what was said: the longest proper prefix of its messages that is all that an earlier request
said. Ids that clients give confirm or overrule that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from llmproxy_core.conversations.beginning import Beginning
from llmproxy_core.conversations.chain import Chain, Chains
from llmproxy_core.conversations.choice import continued_by, is_own
from llmproxy_core.conversations.node import Asked, Link, Node, Relation
from llmproxy_core.conversations.past import REPEAT, Past, tools_hash
from llmproxy_core.conversations.recall import Recall
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Response


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request belongs; `node` is what it is remembered by, None where nothing is."""

    link: Link
    node: Node | None = None


class Lineage:
    """`find` changes nothing; `began` and `answered` tell it what has happened."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._chains = Chains()
        self._past = Past(recall)

    def find(self, asked: Asked) -> Found:
        """Raises DatabaseUnavailable."""
        caller = asked.caller
        self._past.load(caller.ns_id, asked.at)
        before = self._before(caller.ns_id, asked.previous)
        chain = self._chain(asked, before)
        if chain is None:
            return self._mute(asked)
        node = _node(asked, chain, before)
        if asked.aside:
            return Found(Link(session=self._beside(asked, chain, before)), node)
        link = self._repeated(asked, node, chain) or self._continued(asked, chain, before)
        link = link or self._beginning(asked, chain).link(node)
        session = link.session or (before.session if before and link.parent is None else None)
        return Found(replace(link, head=chain.head, session=session), node)

    def began(self, found: Found, session: UUID) -> None:
        """A request was placed in a session, as `find` said."""
        node, link = found.node, found.link
        if node is None:
            return
        node.session = session
        node.relation, node.parent = link.relation, link.parent_id
        self._past.add(node)
        if parent := link.parent:
            if link.relation == "retry":
                node.repeats = parent
            elif link.relation == "subagent":
                parent.called.add(link.parent_call or "")
            else:
                parent.continued = True

    def reopened(self, asked: Asked, session: UUID) -> Node | None:
        """A stored request whose answer is still to come, after a restart.

        Raises DatabaseUnavailable.
        """
        found = self.find(asked)
        node = found.node
        if node is not None:
            node.session = session
            if node.head and not node.aside:
                node = self._past.heads.add(node)
        return node

    def answered(self, node: Node, wire: str, response: Response, at: int) -> None:
        """The answer to a request has ended, at `at` (ns since 1970)."""
        self._past.answered(node, wire, response, at)

    def _before(self, ns_id: int, response_id: str | None) -> Node | None:
        """The request whose answer has this id. Of asides, the store has no head: it is made."""
        if response_id is None:
            return None
        node = self._past.of_response(ns_id, response_id)
        if node is not None and not node.head and (asked := self._recall.asked(node)):
            chain = self._chain(asked, self._before(ns_id, asked.previous))
            if chain is not None:
                node.head, node.prefixes, node.aside = chain.head, chain.prefixes, True
        return node

    def _mute(self, asked: Asked) -> Found:
        """Nothing is said in it; an answer may be continued all the same."""
        near = self._past.latest_of(asked.caller, asked.at) if asked.aside else None
        node = Node(asked.id, asked.id, asked.at, asked.caller, b"", 0, False, aside=asked.aside)
        return Found(Link(session=near.session if near else None), node)

    def _chain(self, asked: Asked, before: Node | None) -> Chain | None:
        known: list[Hash] = []
        if before is not None and asked.previous is not None:
            tip = self._past.tip(before, asked.previous)
            known = [*before.prefixes, tip]
        return self._chains.of(asked.wire, asked.request.messages, asked.body, known)

    def _beside(self, asked: Asked, chain: Chain, before: Node | None) -> UUID | None:
        """The session that a request is about which is no turn of it."""
        past, caller = self._past, asked.caller
        nodes = past.heads.longest(caller.ns_id, chain.prefixes)
        near = before or continued_by(nodes, (), caller, past.answer)
        near = near or past.latest_of(caller, asked.at)
        return near.session if near else None

    def _repeated(self, asked: Asked, node: Node, chain: Chain) -> Link | None:
        """The same once more: a retry, or an answer that was not liked."""
        past, caller = self._past, asked.caller
        nodes = past.heads.at(caller.ns_id, chain.head)
        if not nodes and len(chain.prefixes) > 1:
            nodes = past.heads.stored(caller.ns_id, [chain.head])
        _mark(nodes, node.spoken)
        same = [one for one in nodes if one.id != asked.id and _may_repeat(one, node, asked.at)]
        if not same:
            return None
        if not node.spoken and (called := self._beginning(asked, chain).free_call()):
            return called  # another sub-agent with the same task
        turn = same[-1].turn
        return Link("retry", turn, session=turn.session)

    def _continued(self, asked: Asked, chain: Chain, before: Node | None) -> Link | None:
        past, caller = self._past, asked.caller
        parent = before if before and before.head and not before.aside else None
        if parent is None:
            nodes = past.heads.longest(caller.ns_id, chain.prefixes[:-1])
            said = len(chain.prefixes) - len(chain.hashes)
            after = chain.prefixes.index(nodes[0].head) + 1 - said if nodes else 0
            if not said:
                _mark(nodes, after > chain.opening)
            parent = continued_by(nodes, chain.hashes[max(0, after) :], caller, past.answer)
        if parent is None:
            return None
        if caller.agent and parent.caller.agent is not None and caller.agent != parent.caller.agent:
            return Link("subagent", parent, None, None, *past.home(parent))  # a fork
        relation: Relation = "branch" if parent.continued else "append"
        return Link(relation, parent, None, None, *past.home(parent))

    def _beginning(self, asked: Asked, chain: Chain) -> Beginning:
        return Beginning(self._past, asked.caller, asked.request.messages, chain)


def _node(asked: Asked, chain: Chain, before: Node | None) -> Node:
    return Node(
        id=asked.id,
        session=asked.id,
        at=asked.at,
        caller=asked.caller,
        head=chain.head,
        count=len(chain.hashes) + (before.count + 1 if before else 0),
        spoken=chain.spoken or bool(before and (before.spoken or not before.aside)),
        tools=tools_hash(asked.request.tools),
        model=asked.request.model or "",
        aside=asked.aside,
        prefixes=chain.prefixes if asked.aside else [],
    )


def _mark(nodes: Sequence[Node], spoken: bool) -> None:
    """Of stored requests it is only guessed; one with the same messages tells."""
    for node in nodes:
        node.spoken = spoken


def _may_repeat(node: Node, asked: Node, at: int) -> bool:
    """An opening may be asked again by chance, or beside a conversation; what follows may not.

    Whoever asks several models the same compares them; but where one failed, another may step in.
    """
    if not is_own(node, asked.caller):
        return False
    failed = node.answer is not None and not node.whole
    alike = node.tools in (b"", asked.tools) and (failed or node.model in ("", asked.model))
    return node.spoken or (alike and node.at >= at - REPEAT)
