"""How it is written down where names of tools stand in a JSON text: a tree along its keys.

A dict is an object, by its keys; a list of one is an array, by its elements; a tuple is any of
several, at most one of each kind; a `Name` is a string that names a tool. What the tree does not
mention is passed over. A dict may hold itself.
"""

from dataclasses import dataclass, field
from typing import Literal

KEYS = frozenset({"type", "role", "toolset_name"})
"""By whose values names are told from others."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a tool, if the object around it, or around that (`level` 1), is of these kinds.

    `kinds`: what its `key` says (None: no such key, or no string); left out: any. `excluded`: kinds
    that it must not be of. `unless`: a key that it must not have.
    `declares`: here the tool is offered; in an object of another kind it is the provider's own, and
    its name is left alone wherever else it stands, unless a tool of the client's has it, too.
    `known`: something else may stand here as well; only what a request declares is a tool's name.
    """

    kinds: frozenset[str | None] | None = None
    key: Literal["type", "role"] = "type"
    level: int = 0
    declares: bool = False
    excluded: frozenset[str | None] = frozenset()
    unless: str = ""
    known: bool = False

    def holds(self, kind: str | None) -> bool:
        """Is this the name of a client's tool, in an object of this kind?"""
        return (self.kinds is None or kind in self.kinds) and kind not in self.excluded


type Node = Name | dict[str, Node] | list[Node] | tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a wire format has names: in a request, and in an answer, an event, a line or a frame.

    `turns` is the key of what was said, in order; entries of a role in `prelude` are no part of a
    conversation, but instructions before it. `own`: names of tools that the provider offers without
    declaring them by name; left alone, unless a tool of the client's has one of them.
    """

    request: Node
    answer: Node
    turns: str = "messages"
    prelude: frozenset[str] = field(default=frozenset({"system", "developer"}))
    own: frozenset[bytes] = frozenset()
