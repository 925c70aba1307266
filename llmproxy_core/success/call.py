"""A call that is over, as signals need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from llmproxy_core.conversations.node import Relation
from llmproxy_core.model import Request, Response
from llmproxy_core.records import Ending

NO_ANSWER = ("embed", "rerank", "count_tokens", "input_tokens", "moderations", "batches", "images")
"""In the names of wires whose answers say nothing that could be judged."""
TURNS = frozenset({"append", "branch"})
"""What a request is to its parent where it goes on from the parent's answer."""


@dataclass(slots=True)
class Call:
    """One call, read, and its place in a conversation.

    `at`, `ended`: ns since 1970 of its beginning and its end. `status`: of HTTP, 0 where no answer
    came. `body`: the request's JSON as `providers.formats` parse it, empty where that is not kept.
    `client`: what the program is known by, any text that is the same for the same program.
    `relation`, `parent`: see `conversations.node.Link`. `aside`: beside a conversation, such as a
    count of tokens or a title for it. `mute`: its texts, or parts of its bodies, were not kept, so that
    nothing can be judged by them.
    """

    id: UUID
    ns_id: int
    session: UUID
    at: int
    ended: int
    wire: str
    status: int
    request: Request
    response: Response
    ending: Ending = "complete"
    body: Mapping[str, Any] = field(default_factory=dict)
    client: str = ""
    relation: Relation = "root"
    parent: UUID | None = None
    aside: bool = False
    mute: bool = False

    @property
    def failed(self) -> bool:
        """Did the provider say that something went wrong, or nothing at all?"""
        told = self.response.error is not None and not self.mute
        return self.status == 0 or self.status >= 400 or told

    @property
    def whole(self) -> bool:
        """Is there an answer, to its end? Some clients hang up once they have its finish reason."""
        if self.mute:
            return self.ending == "complete" and not self.failed
        ended = self.ending == "complete" or bool(self.response.finish_reasons)
        return ended and not self.failed and not self.response.incomplete

    @property
    def asks(self) -> bool:
        """Is it a question to a model, for itself?"""
        return not self.aside and _answers(self.wire)

    @property
    def says(self) -> bool:
        """Is there an answer that can be judged by what it says?"""
        return self.whole and self.asks and not self.mute


@lru_cache(256)
def _answers(wire: str) -> bool:
    return not any(word in wire for word in NO_ANSWER)
