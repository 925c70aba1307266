"""Which of several requests with one head it is that another goes on from."""

from collections.abc import Callable, Sequence

from llmproxy_core.conversations.node import Caller, Node
from llmproxy_core.hashing import Hash

type Answer = Callable[[Node], tuple[Hash, ...]]


def is_own(node: Node, caller: Caller) -> bool:
    """May it be the caller's own? An id of the client decides; without one, what it is known by."""
    if caller.session is not None and caller.session != node.session:
        return False
    if None not in (caller.agent, node.caller.agent) and caller.agent != node.caller.agent:
        return False
    return caller.session is not None or caller.client == node.caller.client


def answers(node: Node, following: Sequence[Hash], answer: Answer) -> bool:
    """Do the messages that follow begin with its answer?"""
    said = answer(node)
    return bool(said) and tuple(following[: len(said)]) == said


def continued_by(
    nodes: Sequence[Node], following: Sequence[Hash], caller: Caller, answer: Answer
) -> Node | None:
    """The request whose answer `following` begins with; else the most likely one.

    An opening that is not the caller's own counts only with its answer: others ask the same.
    """
    if len(nodes) == 1 and is_own(nodes[0], caller):
        return nodes[0]

    def likelihood(node: Node) -> tuple[bool, bool, bool, bool, int]:
        return (
            answers(node, following, answer),
            is_own(node, caller),
            node.caller.place == caller.place,
            not node.continued,
            node.id.int,
        )

    able = [
        node
        for node in nodes
        if node.spoken or is_own(node, caller) or answers(node, following, answer)
    ]
    return max(able, key=likelihood, default=None)
