"""What operations must know of a wire format. What a format does not have is None."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.nodes import Node, Path

type Mark = tuple[str, Node, str]
"""A cache breakpoint: its ttl, what holds it, and the key in that (an element: "")."""


@dataclass(frozen=True, slots=True)
class System:
    """`contents`: the system prompt's texts, in order: strings, or arrays of blocks. `create`: one,
    where there is none; `block`: an element of an array. `narrow`: only the first of them stays.
    """

    contents: Callable[[Node], list[Node]]
    create: Callable[[Node, str], None]
    block: Callable[[str], bytes]
    narrow: Callable[[Node], None]


@dataclass(frozen=True, slots=True)
class Caching:
    """`marks`: all breakpoints, in the order in which the provider caches. `place`: where one at
    this place has to be: see `cache_breakpoint`; raises Cannot."""

    marks: Callable[[Node], list[Mark]]
    place: Callable[[Node, str | int, str | None], None]
    most: int = 4


@dataclass(frozen=True, slots=True)
class Dialect:
    """`holders`: the objects of a body that are requests. `parameters`: where those of
    `sections.operations.PARAMETERS` may stand, the usual place first. `prefers`: the place where a
    new one goes, if it depends on the request. `counts`: nothing is generated, parameters do not
    matter. `partial`: what a frame does not say stays as it was, so nothing new is made in it."""

    name: str
    holders: tuple[Path, ...] = ((),)
    parameters: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    prefers: Callable[[Node, str], Path | None] = lambda holder, name: None
    system: System | None = None
    partial: bool = False
    passages: Callable[[Node, Role], Iterator[Node]] | None = None
    add_messages: Callable[[Node, Sequence[FewShot]], None] | None = None
    add_tools: Callable[[Node, Sequence[NewTool]], None] | None = None
    respond: Callable[[Node, ResponseFormat], None] | None = None
    schemas_only: bool = False
    """A response format must have a schema."""
    caching: Caching | None = None
    counts: bool = False


def flat(*names: str, **others: str) -> dict[str, tuple[Path, ...]]:
    """Parameters at the top, some under another name."""
    found: dict[str, tuple[Path, ...]] = {name: ((name,),) for name in names}
    return found | {name: ((called,),) for name, called in others.items()}
