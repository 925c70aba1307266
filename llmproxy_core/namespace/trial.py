"""What would become of a call in a namespace, and whether all of it would come back.

An answer is tried by having it name tools as the provider would: the names of the request are put
into it, and then taken out again by what the proxy itself uses, in pieces.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from llmproxy_core.model import Headers, mapping
from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.incoming import changed
from llmproxy_core.namespace.names import NAME, Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.request import Call, Prefixer, Sent
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.providers.frames import FRAMED, payload
from llmproxy_core.providers.parsing import parse
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
    if call.wire in FRAMED:
        return _session(call, namespace, max_body, answer[1] if answer else None)
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


def _session(call: Call, namespace: Namespace, max_body: int, answer: bytes | None) -> Trial:
    """A turn of a WebSocket: `call.body` and `answer` are its frames, as they are stored."""
    prefixer = Prefixer(None, max_body)
    naming = prefixer.session(replace(call, body=b""), namespace)
    if naming is None:
        return Trial(prefixer.sent(replace(call, body=b"{}"), namespace))
    asked = frames(call.body, "client")
    sent = [prefixer.frame(call.wire, frame, naming).body for frame in asked]
    back = [strip_request(call.wire, frame, _like(naming)) for frame in sent]
    names = naming.pairs()
    done = Sent(call.body, naming.prefix.decode(), naming if names else None)
    lost = [] if back == asked else ["the request"]
    if answer is None or not names:
        return Trial(done, names, lost)
    provider = _Provider(naming.prefix.decode(), naming.longest, naming.on_too_long)
    for frame in asked:
        prefix_request(call.wire, frame, provider)
    told = frames(answer, "server")
    theirs = [changed(frame, call.wire, provider) for frame in told]
    if [changed(frame, call.wire, naming) for frame in theirs] != told:
        lost.append("the answer")
    return Trial(done, names, lost, sum(map(len, told)))


def frames(body: bytes, side: str) -> list[bytes]:
    """What one side's frames say, of those that are stored as lines."""
    found = [mapping(parse(line)[0]) for line in body.split(b"\n") if line]
    return [payload(frame) for frame in found if frame.get("from") == side]


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
    answer = restoring(wire, naming, headers)
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
