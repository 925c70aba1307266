"""How it is written down where names of tools stand in a JSON text: a tree along its keys.

A dict is an object, by its keys; a list of one is an array, by its elements; a tuple is any of
several, at most one of each kind; a `Name` is a string that names a tool. What the tree does not
mention is passed over. A dict may hold itself.
"""

from dataclasses import dataclass, field
from typing import Literal

KEYS = frozenset({"type", "role", "toolset_name"})
"""By whose values names are told from others."""

type Facts = dict[str, str]
"""What an object says under KEYS."""


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


@dataclass(frozen=True, slots=True)
class Text:
    """Words for a model or from it, which may mention tools: see `mentions`.

    `kinds`: what the object around says under its `key` (None: no such key, or no string); left
    out: any. `unless`: a key that it must not have, or only as false. `goes_on`: in a stream, the
    next event of the same block continues it.
    """

    kinds: frozenset[str | None] | None = None
    key: str = "type"
    unless: str = ""
    goes_on: bool = False


type Node = Name | Text | dict[str, Node] | list[Node] | tuple[Node, ...]


def words(node: Node) -> tuple[bytes, ...]:
    """How the keys end under which a grammar has names: a text with none of these has no name."""
    found: set[str] = set()
    _gather(node, "", found, set())
    ends = {f'{key}"'.encode() for key in found}
    shortest = {end for end in ends if not any(end != e and end.endswith(e) for e in ends)}
    return tuple(sorted(shortest))


def _gather(node: Node, key: str, found: set[str], seen: set[int]) -> None:
    if isinstance(node, Name | Text):
        found.add(key)
    elif id(node) not in seen:
        seen.add(id(node))
        if isinstance(node, dict):
            for inner, value in node.items():
                _gather(value, inner, found, seen)
        else:
            for value in node:
                _gather(value, key, found, seen)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a wire format has names: in a request, and in an answer, an event, a line or a frame.

    `turns` is the key of what was said, in order; entries of a role in `prelude` are no part of a
    conversation, but instructions before it. `own`: names of tools that the provider offers without
    declaring them by name; left alone, unless a tool of the client's has one of them.
    `request_text` and `answer_text`: where it has words, for namespaces that ask for these, too.
    """

    request: Node
    answer: Node
    turns: str = "messages"
    prelude: frozenset[str] = field(default=frozenset({"system", "developer"}))
    own: frozenset[bytes] = frozenset()
    request_text: Node | None = None
    answer_text: Node | None = None
    request_words: tuple[bytes, ...] = field(init=False)
    answer_words: tuple[bytes, ...] = field(init=False)
    """Without one of these there is no name in it, see `words`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "request_words", words(self.request))
        object.__setattr__(self, "answer_words", words(self.answer))
