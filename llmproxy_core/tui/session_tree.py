"""A session as the lines of a tree: a heading for each branch, below it its turns in order.

A branch hangs below the turn that it leaves; a compacted conversation goes on at the level of the
one that it continues. No recursion: a chain may have thousands of turns.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmproxy_core.store.call_rows import Relation
from llmproxy_core.store.overview import SessionTree
from llmproxy_core.store.tree import Branch, TreeNode

ASIDES = -1
"""The number under which calls beside the conversation are gathered."""
DEEPEST = 12
"""Levels that are set in further and further."""


@dataclass(slots=True)
class Heading:
    """The line of a branch, with its sums. `tool` called it, if it is a sub-agent."""

    number: int
    relation: Relation
    sums: Branch
    tool: str | None
    depth: int
    folded: bool
    nodes: Sequence[TreeNode]

    @property
    def key(self) -> tuple[str, int]:
        return "branch", self.number

    @property
    def node(self) -> TreeNode:
        return self.nodes[0]

    @property
    def open(self) -> bool:
        """Is one of its calls running?"""
        return any(node.state == "open" for node in self.nodes)

    @property
    def ended(self) -> datetime | None:
        return max((node.ended_at for node in self.nodes if node.ended_at), default=None)


@dataclass(slots=True)
class TurnLine:
    """The line of a call."""

    node: TreeNode
    depth: int

    @property
    def key(self) -> UUID:
        return self.node.id


type Line = Heading | TurnLine


@dataclass(slots=True)
class TreeLines:
    """All branches of a session; `visible` gives its lines with some of them folded."""

    tree: SessionTree
    by_id: dict[UUID, TreeNode] = field(default_factory=dict)
    members: dict[int, list[TreeNode]] = field(default_factory=dict)
    _above: dict[int, int] = field(default_factory=dict)
    _roots: list[int] = field(default_factory=list)
    _leaving: dict[UUID, list[int]] = field(default_factory=dict)
    _following: dict[int, list[int]] = field(default_factory=dict)
    _sums: dict[int, Branch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id = {node.id: node for node in self.tree.nodes}
        self._sums = {branch.number: branch for branch in self.tree.branches}
        for node in self.tree.nodes:
            number = ASIDES if node.branch is None else node.branch
            self.members.setdefault(number, []).append(node)
        for number, nodes in self.members.items():
            self._place(number, nodes[0])
        if ASIDES in self.members:
            self._roots.append(ASIDES)
            self._sums[ASIDES] = summed(ASIDES, self.members[ASIDES])

    def _place(self, number: int, first: TreeNode) -> None:
        if number == ASIDES:
            return
        parent = self.by_id.get(first.parent_id) if first.parent_id else None
        if parent is None or parent.branch is None or self._leads_to(parent.branch, number):
            self._roots.append(number)
            return
        self._above[number] = parent.branch
        if first.relation == "compaction":
            self._following.setdefault(parent.branch, []).append(number)
        else:
            self._leaving.setdefault(parent.id, []).append(number)

    def _leads_to(self, below: int, number: int) -> bool:
        """Would it go round in a circle? Imported calls may be older than what they continue."""
        at: int | None = below
        while at is not None and at != number:
            at = self._above.get(at)
        return at == number

    @property
    def numbers(self) -> list[int]:
        return list(self.members)

    def branch_of(self, line: Line) -> int:
        if isinstance(line, Heading):
            return line.number
        return ASIDES if line.node.branch is None else line.node.branch

    def visible(self, folded: Collection[int]) -> list[Line]:
        """The lines in the order of the screen; a session of one branch needs no heading."""
        if len(self.members) == 1:
            return [TurnLine(node, 0) for node in self.tree.nodes]
        lines: list[Line] = []
        waiting: list[tuple[int, int] | Line] = [(number, 0) for number in reversed(self._roots)]
        while waiting:
            item = waiting.pop()
            if not isinstance(item, tuple):
                lines.append(item)
                continue
            number, depth = item
            waiting += [(next, depth) for next in reversed(self._following.get(number, []))]
            lines.append(self._heading(number, depth, number in folded))
            if number not in folded:
                waiting += reversed(list(self._inside(number, depth + 1)))
        return lines

    def _inside(self, number: int, depth: int) -> Iterator[tuple[int, int] | Line]:
        for node in self.members[number]:
            yield TurnLine(node, depth)
            for leaving in self._leaving.get(node.id, ()):
                yield leaving, depth

    def _heading(self, number: int, depth: int, folded: bool) -> Heading:
        nodes = self.members[number]
        first = nodes[0]
        return Heading(
            number=number,
            relation=self.relation(number),
            sums=self._sums[number],
            tool=self.tree.tools.get(first.parent_call or ""),
            depth=depth,
            folded=folded,
            nodes=nodes,
        )

    def relation(self, number: int) -> Relation:
        """What a branch is to the one it leaves: one that begins with a mere turn is a branch."""
        first = self.members[number][0]
        if number == ASIDES or first.relation in ("append", "retry"):
            return "branch" if number in self._above else "root"
        return first.relation

    def above(self, number: int) -> int | None:
        """The branch that this one left, or goes on from."""
        return self._above.get(number)

    def siblings(self, number: int) -> list[int]:
        """All branches that leave the same one, in the order of time; `number` is among them."""
        above = self.above(number)
        return [other for other in self.members if self.above(other) == above]


def summed(number: int, nodes: Sequence[TreeNode]) -> Branch:
    """The sums of any calls, as if they were a branch."""
    first = nodes[0]
    return Branch(
        number,
        first.id,
        "root",
        None,
        requests=len(nodes),
        errors=sum(node.state == "failed" for node in nodes),
        input_tokens=sum(node.input_tokens or 0 for node in nodes),
        output_tokens=sum(node.output_tokens or 0 for node in nodes),
        cached_tokens=sum(node.cached_tokens or 0 for node in nodes),
        cache_write_tokens=sum(node.cache_write_tokens or 0 for node in nodes),
        cost_usd=sum((node.cost_usd or Decimal(0) for node in nodes), start=Decimal(0)),
    )
