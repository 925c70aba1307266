"""What the walkers find, in any cuts, is what a plain reading of the parsed text finds."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.namespace.grammar import Name, Node, Text, words
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.walk import Found, Walker
from llmproxy_core.namespace.whole import names_in
from tests.unit.namespace.oracle import Members, parsed, seen
from tests.unit.namespace.recorded import dumped, texts
from tests.unit.namespace.test_places import ANSWERS, REQUESTS
from tests.unit.providers.corpus import exchanges, needs_corpus, wire_of

BODIES = [(wire, body, PLACES[wire].request) for wire, body in REQUESTS] + [
    (wire, body, PLACES[wire].answer) for wire, body in ANSWERS
]
WIRES = st.sampled_from(sorted(PLACES))

type What = list[tuple[str, int, bool]]
"""(name, which place of the grammar, is it a client's)."""


def plainly(text: bytes, grammar: Node) -> What:
    return [(one.name, id(one.place), one.holds) for one in seen(parsed(text), grammar)]


def walked(text: bytes, found: list[Found]) -> What:
    return [
        (json.loads(b'"' + text[one.start : one.end] + b'"'), id(one.place), one.holds)
        for one in found
    ]


def in_pieces(text: bytes, grammar: Node, cuts: list[int]) -> list[Found]:
    walker = Walker(grammar)
    ends = [*sorted(cuts), len(text)]
    starts = [0, *ends]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=False)]
    return [one for piece in pieces for one in walker.feed(piece)]


def at_once(text: bytes, grammar: Node) -> list[Found]:
    return names_in(text, grammar, words(grammar))


@pytest.mark.parametrize(("wire", "body", "grammar"), BODIES)
def test_samples_are_walked_as_they_are_read(wire: str, body: Any, grammar: Node) -> None:
    for text in (
        json.dumps(body).encode(),
        json.dumps(body, indent=1).encode(),
        json.dumps(body, separators=(",", ":")).encode(),
    ):
        expected = plainly(text, grammar)
        assert walked(text, in_pieces(text, grammar, [])) == expected
        assert walked(text, at_once(text, grammar)) == expected
        assert walked(text, in_pieces(text, grammar, list(range(len(text))))) == expected


@needs_corpus
@pytest.mark.parametrize("side", ["request", "response"])
def test_recorded_texts_are_walked_as_they_are_read(side: str) -> None:
    for exchange in exchanges():
        if (wire := wire_of(exchange)) not in PLACES:
            continue
        grammar = getattr(PLACES[wire], "request" if side == "request" else "answer")
        for body in texts(exchange, side):
            text = dumped(body).encode()
            expected = plainly(text, grammar)
            cuts = [len(text) * part // 7 for part in range(1, 7)]
            assert walked(text, in_pieces(text, grammar, cuts)) == expected, exchange["id"]
            assert walked(text, at_once(text, grammar)) == expected, exchange["id"]


STRINGS = st.one_of(
    st.sampled_from(
        ["function", "custom", "tool_use", "function_call", "tool", "web_search", "weather", "auto"]
    ),
    st.text(max_size=8),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(), STRINGS)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(st.tuples(st.sampled_from(["name", "type", "tools", "x"]), inner), max_size=3).map(
            Members
        ),
    ),
    max_leaves=5,
)


def bodies(node: Node, depth: int = 6) -> st.SearchStrategy[Any]:
    """Bodies that follow a grammar, mostly."""
    if depth == 0:
        return JUNK
    if isinstance(node, Name | Text):
        return st.one_of(STRINGS, STRINGS, JUNK)
    if isinstance(node, list):
        return st.lists(st.deferred(lambda: bodies(node[0], depth - 1)), max_size=3)
    if isinstance(node, tuple):
        return st.one_of(*(bodies(one, depth) for one in node))
    return _objects(node, depth)


@st.composite
def _objects(draw: Callable[[Any], Any], node: dict[str, Node], depth: int) -> Members:
    members: list[tuple[str, Any]] = []
    for key in draw(st.lists(st.sampled_from([*node, "type", "role", "x"]), max_size=5)):
        inner = node.get(key)
        follows = inner is not None and draw(st.integers(0, 9))
        members.append((key, draw(bodies(inner, depth - 1) if follows and inner else JUNK)))
    return Members(members)


@st.composite
def _walks(draw: Callable[[Any], Any]) -> tuple[Node, bytes, list[int]]:
    places = PLACES[draw(WIRES)]
    grammar = draw(st.sampled_from([places.request, places.answer]))
    text = dumped(draw(bodies(grammar))).encode()
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=6))
    return grammar, text, cuts


@settings(max_examples=400, deadline=None)
@given(_walks())
def test_whatever_follows_a_grammar_is_walked_as_it_is_read(
    walk: tuple[Node, bytes, list[int]],
) -> None:
    grammar, text, cuts = walk
    expected = plainly(text, grammar)
    assert walked(text, in_pieces(text, grammar, cuts)) == expected
    assert walked(text, at_once(text, grammar)) == expected
