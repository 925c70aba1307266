"""An answer as a provider would have given it to prefixed names, and as the client gets it."""

from collections.abc import Iterable
from itertools import pairwise

from llmproxy_core.model import Headers
from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request

PREFIX = "pay__"


class Adding(Naming):
    """The other way round: what would be restored is sent. A name of nothing names no tool."""

    def restore(self, name: bytes) -> bytes:
        return (name and self.send(name)) or name

    def knows(self, name: bytes) -> bool:
        return name in self.clients


def named(wire: str, request: bytes, kind: type[Naming] = Naming) -> Naming:
    """The names of a request."""
    naming = kind(PREFIX, 64)
    prefix_request(wire, request, naming)
    return naming


def through(wire: str, naming: Naming, headers: Headers, chunks: Iterable[bytes]) -> bytes:
    """An answer, restored piece by piece."""
    answer = restoring(wire, naming, headers)
    return b"".join(map(answer.feed, chunks)) + answer.finish()


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """A body in pieces, cut at these places."""
    ends = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in pairwise(ends) if start < end]
