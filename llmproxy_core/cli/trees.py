"""A session as a tree of lines."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from llmproxy_core.conversations.cache import Miss
from llmproxy_core.plural import counted
from llmproxy_core.store.flows import Session
from llmproxy_core.store.tree import Branch, TreeNode
from llmproxy_core.tui import figures, plain

WORDS = 60
DEEPEST = 12
"""Levels that are set in further and further."""


def session_line(session: Session) -> str:
    facts = (
        session.id.hex[-8:],
        f"{session.last_at.astimezone():%Y-%m-%d %H:%M:%S}",
        f"{session.requests:>5} {'request ' if session.requests == 1 else 'requests'}",
        f"{figures.usd(session.cost_usd):>9}",
        plain.line(session.model or figures.NONE)[:24].ljust(24),
        plain.line(session.title)[:WORDS],
    )
    return "  ".join(facts).rstrip()


def describe(
    session: Session,
    nodes: Sequence[TreeNode],
    branches: Sequence[Branch],
    misses: dict[UUID, Miss],
) -> str:
    lines = [*_facts(session), "", *_tree(nodes, misses), "", *_sums(branches)]
    return "\n".join(lines) + "\n"


def _facts(session: Session) -> Iterator[str]:
    yield f"session   {session.id}"
    name = f" {session.external_id}" if session.external_id else ""
    yield f"known by  {plain.line(session.source + name)}"
    yield f"title     {plain.line(session.title)}"
    yield (
        f"sums      {counted(session.requests, 'request')}, {figures.tokens(session.input_tokens)} in, "
        f"{figures.tokens(session.cached_tokens)} of it cached, "
        f"{figures.tokens(session.output_tokens)} out, {figures.usd(session.cost_usd)}"
    )


def _tree(nodes: Sequence[TreeNode], misses: dict[UUID, Miss]) -> Iterator[str]:
    """Each branch in one piece, set in below the turn at which it leaves."""
    known = {node.id for node in nodes}
    after: dict[UUID | None, list[TreeNode]] = {}
    for node in nodes:
        after.setdefault(node.parent_id if node.parent_id in known else None, []).append(node)
    shown: set[UUID] = set()
    for start in [*after.get(None, []), *nodes]:  # imported calls may go round in a circle
        waiting = [(start, 0)]
        while waiting:
            node, level = waiting.pop()
            if node.id in shown:
                continue
            shown.add(node.id)
            yield _line(node, level)
            if miss := misses.get(node.id):
                yield f"{_margin(level)}  ! {plain.line(miss.sentence)}{_lost_usd(miss)}"
            below = after.get(node.id, [])
            same = [child for child in below if child.branch == node.branch]
            others = [child for child in below if child.branch != node.branch]
            waiting += [(child, level) for child in reversed(same)]
            waiting += [(child, level + 1) for child in reversed(others)]


def _line(node: TreeNode, level: int) -> str:
    number = "aside" if node.branch is None else f"{node.relation} [{node.branch}]"
    call = f" for {plain.line(node.parent_call)}" if node.parent_call else ""
    said = plain.line(node.error or node.text_start or node.preview)[:WORDS]
    numbers = (
        f"{figures.tokens(node.input_tokens)} in, {figures.tokens(node.cached_tokens)} cached, "
        f"{figures.tokens(node.output_tokens)} out, {figures.usd(node.cost_usd)}"
    )
    state = "" if node.state == "complete" else f" ({node.state})"
    return f"{_margin(level)}{node.id.hex[-8:]} {number}{call}{state}  {numbers}  {said}".rstrip()


def _margin(level: int) -> str:
    return "  " * min(level, DEEPEST)


def _lost_usd(miss: Miss) -> str:
    return "" if miss.cost_usd is None else f" ({figures.usd(miss.cost_usd)} more)"


def _sums(branches: Sequence[Branch]) -> Iterator[str]:
    yield "branch            requests      in  cached     out      cost"
    for branch in branches:
        cells = (
            figures.tokens(branch.input_tokens).rjust(7),
            figures.tokens(branch.cached_tokens).rjust(7),
            figures.tokens(branch.output_tokens).rjust(7),
            figures.usd(branch.cost_usd).rjust(9),
        )
        name = f"{branch.number} {branch.relation}"
        yield f"{name:<16}{branch.requests:>10} {' '.join(cells)}"
