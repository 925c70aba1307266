"""What would become of a call in a namespace, and whether all of it would come back.

An answer is tried by having it name tools as the provider would: the names of the request are put
into it, and then taken out again by what the proxy itself uses, in pieces.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from llmproxy_core.model import Headers
from llmproxy_core.namespace.answer import Answer
from llmproxy_core.namespace.names import NAME, Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.request import Call, Prefixer, Sent
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.providers.recoding import decode_whole

RANDOM_CUTS = 50
"""How often an answer is cut in pieces, beside once in whole and once byte by byte."""
MOST_PIECES = 40


@dataclass(frozen=True, slots=True)
class Trial:
    """`names`: (the client's, as sent). `lost`: what would not come back as it was."""

    sent: Sent
    names: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    answered: int | None = None
    """Bytes of the answer that was tried, without its content coding; None: there was none."""


class _Provider(Naming):
    """Names tools as a provider does that was told the names of a request."""

    def restore(self, name: bytes) -> bytes:
        if not NAME.fullmatch(name):  # some answer with calls without a name
            return name
        return self.send(name) or name

    def knows(self, name: bytes) -> bool:
        return name in self.clients


def trial(
    call: Call,
    namespace: Namespace,
    max_body: int,
    answer: tuple[Headers, bytes] | None = None,
) -> Trial:
    """Try a call as the client makes it, to a proxy that knows nothing of its conversation.

    `max_body`: bytes of a request that is changed. `answer`: as the client got it.
    """
    done = Prefixer(None, max_body).sent(call, namespace)
    naming = done.naming
    if naming is None:
        return Trial(done)
    lost = [] if _came_back(call, done.body, naming) else ["the request"]
    if answer is None or (told := decode_whole(*answer)) is None:
        return Trial(done, naming.pairs(), lost)
    headers = [pair for pair in answer[0] if pair[0].lower() != "content-encoding"]
    if not _answer_comes_back(call, naming, headers, told):
        lost.append("the answer")
    return Trial(done, naming.pairs(), lost, len(told))


def _came_back(call: Call, body: bytes, naming: Naming) -> bool:
    ours, theirs = decode_whole(call.headers, call.body), decode_whole(call.headers, body)
    if ours is None or theirs is None:
        return False
    return strip_request(call.wire, theirs, _like(naming)) == ours


def _answer_comes_back(call: Call, naming: Naming, headers: Headers, told: bytes) -> bool:
    ours = decode_whole(call.headers, call.body) or b""
    provider = _Provider(naming.prefix.decode(), naming.longest, naming.on_too_long)
    prefix_request(call.wire, ours, provider)
    theirs = _through(call.wire, provider, headers, [told])
    return all(
        _through(call.wire, _of_request(call.wire, ours, naming), headers, pieces) == told
        for pieces in _cut(theirs)
    )


def _like(naming: Naming) -> Naming:
    """One that knows no more than what is stored of a call."""
    prefix = naming.prefix.decode()
    like = Naming(prefix, naming.longest, naming.on_too_long, naming.shortened, naming.plain_text)
    like.left_in_texts = naming.left_in_texts
    return like


def _of_request(wire: str, body: bytes, naming: Naming) -> Naming:
    fresh = Naming(naming.prefix.decode(), naming.longest, naming.on_too_long)
    prefix_request(wire, body, fresh)
    return fresh


def _through(wire: str, naming: Naming, headers: Headers, pieces: Iterable[bytes]) -> bytes:
    answer = Answer(wire, naming, headers)
    return b"".join(map(answer.feed, pieces)) + answer.finish()


def _cut(body: bytes) -> Iterable[list[bytes]]:
    """Whole, byte by byte, and in pieces: the same ones every time."""
    yield [body]
    yield [body[at : at + 1] for at in range(len(body))]
    dice = random.Random(len(body))  # noqa: S311 - no secret
    for _ in range(RANDOM_CUTS if len(body) > 1 else 0):
        most = min(len(body) - 1, MOST_PIECES)
        ends = sorted(dice.sample(range(1, len(body)), dice.randint(1, most)))
        yield [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]
