"""Names within texts of every recorded exchange with tools: out and back, not a byte is another."""

import random

import pytest

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.mentions import speaking
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.spoken import SpokenNames
from llmproxy_core.providers.content_type import content_type
from llmproxy_core.providers.encoding import decode_body
from tests.unit.namespace.round_trip import PREFIX, Adding, cut, named
from tests.unit.namespace.test_round_trip_corpus import plain, with_tools
from tests.unit.providers.corpus import Exchange, body, headers, needs_corpus, wire_of

pytestmark = needs_corpus


def asked(one: Exchange) -> Naming:
    naming = Naming(PREFIX, plain_text=True)
    prefix_request(wire_of(one), body(one, "request"), naming)
    return naming


def test_a_request_without_its_prefix_is_the_one_that_came():
    changed = 0
    for one in with_tools():
        wire, request, naming = wire_of(one), body(one, "request"), Naming(PREFIX, plain_text=True)
        sent = prefix_request(wire, request, naming)
        assert sent.reason == "", one["id"]
        assert not naming.left_in_texts, one["id"]
        later = Naming(PREFIX, shortened=naming.shortened, plain_text=True)
        assert strip_request(wire, sent.body, later) == request, one["id"]
        changed += sent.body != prefix_request(wire, request, Naming(PREFIX)).body
    assert changed > 200


def as_sent(one: Exchange, ours: bytes, texts: bool) -> bytes:
    """The answer of a provider that knows the tools by their prefixed names."""
    wire, request, said = wire_of(one), body(one, "request"), plain(headers(one, "response"))
    names = restoring(wire, named(wire, request, Adding), said)
    grammar = PLACES[wire].answer_text
    if not texts or grammar is None:
        return names.feed(ours) + names.finish()
    out = {name: sent for name, sent in asked(one).changed.items() if speaking(name)}
    kind = content_type(dict(said).get("content-type", ""))
    added = SpokenNames(names, grammar, out, b"", frames=kind.eventstream, lines=kind.lines)
    return added.feed(ours) + added.finish()


def test_an_answer_that_mentions_tools_is_the_one_without_prefix():
    random.seed(4)
    mentioned = 0
    for one in with_tools():
        ours, _ = decode_body(headers(one, "response"), body(one, "response"))
        theirs = as_sent(one, ours, texts=True)
        mentioned += theirs != as_sent(one, ours, texts=False)
        for _ in range(3):
            places = random.sample(range(len(theirs)), min(len(theirs), random.randint(0, 40)))
            answer = restoring(wire_of(one), asked(one), plain(headers(one, "response")))
            sent = b"".join(map(answer.feed, cut(theirs, places))) + answer.finish()
            assert answer.fault is None
            assert sent == ours, one["id"]
    assert mentioned > 20


@pytest.mark.soak
def test_an_answer_that_mentions_tools_may_be_cut_anywhere():
    random.seed(4)
    for one in with_tools():
        ours, _ = decode_body(headers(one, "response"), body(one, "response"))
        theirs, told = as_sent(one, ours, texts=True), plain(headers(one, "response"))
        if theirs == as_sent(one, ours, texts=False):
            continue
        naming, everywhere = asked(one), range(1, len(theirs))
        places = random.sample(everywhere, min(len(everywhere), 1000))
        for pieces in [cut(theirs, everywhere), *(cut(theirs, [place]) for place in places)]:
            answer = restoring(wire_of(one), naming, told)
            sent = b"".join(map(answer.feed, pieces)) + answer.finish()
            assert sent == ours, (one["id"], len(pieces[0]))
