"""Every recorded exchange with tools, out with a prefix and back: not a byte is another."""

import random
from collections.abc import Iterable
from functools import cache

import pytest

from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.whole import Seen
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.spans.recent import Recent
from tests.unit.namespace.round_trip import PREFIX, Adding, cut, named, through
from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    body,
    exchanges,
    headers,
    needs_corpus,
    wire_of,
)

SMALL = 20_000
"""Bytes up to which an answer is cut at every byte; a larger one at a thousand places."""
NEAR = 12
"""Bytes before and after a name at which answers are cut in the everyday suite."""

pytestmark = needs_corpus


@cache
def with_tools() -> list[Exchange]:
    """Those whose requests have names of tools; 1,246 of them."""
    found = []
    for one in exchanges():
        wire, request = wire_of(one), body(one, "request")
        if wire in PLACES and prefix_request(wire, request, Naming(PREFIX)).body != request:
            found.append(one)
    assert len(found) > 1200
    return found


@cache
def answered() -> list[tuple[Exchange, bytes, bytes]]:
    """Exchanges whose answers name tools: the answer with prefixed names, and as it was."""
    found = []
    for one in with_tools():
        wire, told = wire_of(one), headers(one, "response")
        ours, _ = decode_body(told, body(one, "response"))
        theirs = through(wire, named(wire, body(one, "request"), Adding), plain(told), [ours])
        if theirs != ours:
            found.append((one, theirs, ours))
    assert len(found) > 500
    return found


def plain(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in told if pair[0].lower() != "content-encoding"]


def test_a_request_without_its_prefix_is_the_one_that_came():
    for one in with_tools():
        wire, request, naming = wire_of(one), body(one, "request"), Naming(PREFIX)
        sent = prefix_request(wire, request, naming)
        assert sent.reason == "", one["id"]
        later = Naming(PREFIX, shortened=naming.shortened)
        assert strip_request(wire, sent.body, later) == request, one["id"]


def test_what_was_read_before_is_changed_alike():
    seen: Seen = Recent(100_000)
    for _ in range(2):
        for one in with_tools():
            wire, request = wire_of(one), body(one, "request")
            alone = prefix_request(wire, request, Naming(PREFIX))
            assert prefix_request(wire, request, Naming(PREFIX), seen=seen) == alone, one["id"]


def test_every_call_of_an_answer_carries_the_prefix_there_and_not_here():
    n = 0
    for one, theirs, ours in answered():
        owned = named(wire_of(one), body(one, "request")).owned
        for called, known in zip(_calls(one, theirs), _calls(one, ours), strict=True):
            n += called == PREFIX + known
            assert called == PREFIX + known or known.encode() in owned, one["id"]
    assert n > 500


def _calls(one: Exchange, answer: bytes) -> list[str]:
    told = [list(pair) for pair in plain(headers(one, "response"))]
    response, _ = answer_of(one | {"response_headers": told}, [answer])
    return [call.name for call in response.tool_calls]


def test_an_answer_byte_by_byte_is_the_one_without_prefix():
    for one, theirs, ours in answered():
        wire, told = wire_of(one), plain(headers(one, "response"))
        naming = named(wire, body(one, "request"))
        pieces = [theirs[at : at + 1] for at in range(len(theirs))]
        assert through(wire, naming, told, pieces) == ours, one["id"]


def test_an_answer_cut_near_its_names_is_the_one_without_prefix():
    for one, theirs, ours in answered():
        for place in _near(theirs):
            _assert_whole(one, theirs, ours, [place])


def test_an_answer_cut_at_random_is_the_one_without_prefix():
    random.seed(4)
    for one, theirs, ours in answered():
        for _ in range(5):
            places = random.sample(range(len(theirs)), min(len(theirs), random.randint(1, 40)))
            _assert_whole(one, theirs, ours, places)


@pytest.mark.soak
def test_an_answer_cut_at_every_byte_or_at_a_thousand_is_the_one_without_prefix():
    random.seed(4)
    cuts = 0
    for one, theirs, ours in answered():
        places: Iterable[int] = range(1, len(theirs))
        if len(theirs) > SMALL:
            places = random.sample(range(1, len(theirs)), 1000)
        for place in places:
            _assert_whole(one, theirs, ours, [place])
        cuts += min(len(theirs) - 1, 1000 if len(theirs) > SMALL else len(theirs))
    print(f"{len(answered())} answers of {len(with_tools())} exchanges, {cuts} cuts")


def _assert_whole(one: Exchange, theirs: bytes, ours: bytes, places: list[int]) -> None:
    wire, told = wire_of(one), plain(headers(one, "response"))
    naming = named(wire, body(one, "request"))
    assert through(wire, naming, told, cut(theirs, places)) == ours, (one["id"], places)


def _near(text: bytes) -> set[int]:
    """Around the first names of an answer."""
    found, at = set[int](), -1
    for _ in range(2):
        at = text.find(PREFIX.encode(), at + 1)
        if at >= 0:
            found |= set(range(max(1, at - NEAR), min(len(text), at + NEAR)))
    return found
