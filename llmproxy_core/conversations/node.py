"""A request as a place in the tree of a conversation."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from llmproxy_core.hashing import Hash
from llmproxy_core.model import Request

type Relation = Literal["root", "append", "retry", "branch", "compaction", "subagent"]
"""What a request is to its parent."""

type Client = tuple[str, ...]
"""What a program is known by: its address, the user of the proxy, and so on."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `place`: address and port; `machine`: what sub-agents share with their callers.

    `session`: as the client names it. `agent`: the one of several agents in a session that asks,
    "" for the main one, None where that is not known; `parent_agent`: the one that called it.
    """

    ns_id: int
    place: str
    client: Client
    machine: Client
    session: UUID | None = None
    agent: str | None = ""
    parent_agent: str = ""


@dataclass(slots=True)
class Asked:
    """A request to be placed. `body` is decoded; `previous`: the answer it says it continues."""

    id: UUID
    at: int
    wire: str
    caller: Caller
    request: Request
    body: bytes
    previous: str | None = None
    aside: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """One request. `at`: ns since 1970 of the last that is known of it.

    `head`: prefix hash of its `count` messages; empty where that is not known. `spoken`: is one of
    them an answer? `tools`: of what it offers, and the `model` that it asks; empty where that is
    not known. `repeats`: the request that this one repeats. `aside`: no turn of the tree; only
    then there are `prefixes`. `answer`: hashes of its answer, None while that is not known; is it
    `whole`? `continued`: does another request go on from it? `called`: its tool calls that
    sub-agents carry out.
    """

    id: UUID
    session: UUID
    at: int
    caller: Caller
    head: Hash
    count: int
    spoken: bool
    tools: Hash = b""
    model: str = ""
    relation: Relation = "root"
    parent: UUID | None = None
    repeats: "Node | None" = None
    aside: bool = False
    prefixes: list[Hash] = field(default_factory=list)
    answer: tuple[Hash, ...] | None = None
    whole: bool = False
    continued: bool = False
    called: set[str] = field(default_factory=set)

    @property
    def ns_id(self) -> int:
        return self.caller.ns_id

    @property
    def turn(self) -> "Node":
        """The request that it repeats, or itself."""
        return self.repeats or self


@dataclass(frozen=True, slots=True)
class Link:
    """Where a request belongs. `head` None: it is no turn of a conversation.

    `session`: that of the conversation. None where a new one begins, with the request `begins`,
    or, where that is None, with this one.
    """

    relation: Relation = "root"
    parent: Node | None = None
    parent_call: str | None = None
    head: Hash | None = None
    session: UUID | None = None
    begins: UUID | None = None

    @property
    def parent_id(self) -> UUID | None:
        return self.parent.id if self.parent else None
