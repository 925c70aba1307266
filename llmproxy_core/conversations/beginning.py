"""What a conversation that continues no other begins as: a sub-agent's, a compacted one, a new one."""

from llmproxy_core.conversations.chain import Chain
from llmproxy_core.conversations.node import Caller, Link, Node, Relation
from llmproxy_core.conversations.past import Past
from llmproxy_core.conversations.sayings import COMPACTION
from llmproxy_core.conversations.words import openings
from llmproxy_core.model import Message

SUMMARY = (
    "summar",
    "continued from a previous",
    "compact",
    "state_snapshot",
    "previous conversation",
    "handoff",
)
"""How the opening of a compacted conversation speaks."""
TOLD = 4
"""User messages at either end in which a summary is looked for."""
WINDOW = 8
"""Messages at the end of which one may be the answer before what was cut off."""


class Beginning:
    """One request that has no parent by its messages. Raises DatabaseUnavailable."""

    def __init__(self, past: Past, caller: Caller, messages: list[Message], chain: Chain) -> None:
        self._past = past
        self._caller = caller
        self._messages = messages
        self._chain = chain
        self._openings = openings(messages)

    def link(self, node: Node) -> Link:
        """`node`: the request."""
        return (
            self.free_call()
            or self._agent()
            or self._summary()
            or self._window()
            or self._call_within()
            or self._named(node)
            or Link()
        )

    def free_call(self) -> Link | None:
        """The tool call whose prompt this is, if no other sub-agent carries it out."""
        offer = self._past.calls.exact(self._caller.machine, self._openings)
        if offer is None or offer.taken:
            return None
        return self._to("subagent", offer.node, offer.call_id)

    def _agent(self) -> Link | None:
        """A sub-agent by the client's own word."""
        caller = self._caller
        if not caller.agent or caller.session is None:
            return None
        if self._past.latest(caller.ns_id, caller.session, caller.agent):
            return None
        parent = self._past.latest(caller.ns_id, caller.session, caller.parent_agent)
        return self._to("subagent", parent) if parent else None

    def _summary(self) -> Link | None:
        """It begins with what an earlier answer says, or with the item that stands for it."""
        said = [message for message in self._messages if message.role == "user"]
        told = said if len(said) <= 2 * TOLD else said[:TOLD] + said[-TOLD:]
        texts = [part.text for message in told for part in message.parts if part.kind == "text"]
        items = [
            part.id
            for message in self._messages
            for part in message.parts
            if part.kind == "other" and part.text.startswith(COMPACTION) and part.id
        ]
        sayings, machine = self._past.sayings, self._caller.machine
        node = sayings.item(machine, items) or sayings.summarised(machine, texts)
        return self._compacted(node)

    def _window(self) -> Link | None:
        """It goes on from an earlier answer, without what was before that."""
        if not self._chain.spoken:
            return None
        hashes = self._chain.hashes[-WINDOW:]
        return self._compacted(self._past.sayings.answered(self._caller.machine, hashes))

    def _compacted(self, node: Node | None) -> Link | None:
        if node is None or self._caller.session not in (None, node.session):
            return None
        return self._to("compaction", node)

    def _call_within(self) -> Link | None:
        """A sub-agent whose prompt stands among other words."""
        if self._chain.spoken:
            return None
        offer = self._past.calls.within(self._caller.machine, self._openings)
        if offer is None or self._caller.session not in (None, offer.node.session):
            return None
        if _is_summary(self._openings[0]):
            return None
        return self._to("subagent", offer.node, offer.call_id)

    def _named(self, node: Node) -> Link | None:
        """A session that its client names goes on, but not from what was said last."""
        session = self._caller.session
        if session is None:
            return None
        last = self._past.latest(self._caller.ns_id, session, self._caller.agent or "")
        if last is None or not last.spoken or node.count >= last.count:
            return None
        spoken_of = any(map(_is_summary, self._openings))
        same_tools = node.tools == self._past.tools(last)
        return self._to("compaction", last) if spoken_of or same_tools else None

    def _to(self, relation: Relation, node: Node, call: str | None = None) -> Link:
        return Link(relation, node, call, None, *self._past.home(node))


def _is_summary(text: str) -> bool:
    text = text.lower()
    return any(words in text for words in SUMMARY)
