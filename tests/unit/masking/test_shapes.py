"""Events that are alike are known by their shape."""

import json

from llmproxy_core.masking.pieces import pieces
from llmproxy_core.masking.shapes import MOST, Shapes
from tests.unit.masking.test_pieces import TEXT, WIRES


def test_an_event_is_known_when_two_like_it_have_been_seen():
    for make in WIRES.values():
        shapes = Shapes()
        assert shapes.find(make("third")) is None
        shapes.learn(make("first"))
        assert shapes.find(make("third")) is None
        shapes.learn(make('sec"ond\n'))
        assert shapes.find(make(TEXT)) is not None


def test_a_shape_finds_the_same_texts_as_reading_does():
    for make in WIRES.values():
        shapes = Shapes()
        for text in ("a", "b"):
            shapes.learn(make(text))
        event = make('quoted "text"\n')
        found = shapes.find(event)
        assert found is not None
        shape, match = found
        going = [(*match.span(one.group), one.channel(match)) for one in shape.going]
        read = [(one.start, one.end, one.channel) for one in pieces(event) if not one.last]
        assert going == read
        assert len(shape.whole) + len(shape.going) >= len(pieces(event))


def test_texts_of_two_blocks_keep_apart():
    def event(index: int, text: str) -> bytes:
        return json.dumps({"index": index, "delta": {"text": text}}).encode()

    shapes = Shapes()
    for text in ("a", "b"):
        shapes.learn(event(0, text))
    channels = set()
    for index in (0, 1):
        found = shapes.find(event(index, "c"))
        assert found is not None
        channels.add(found[0].going[0].channel(found[1]))
    assert len(channels) == 2


def test_shapes_that_begin_alike_are_few():
    shapes = Shapes()
    for number in range(MOST + 5):
        for _ in range(2):
            shapes.learn(json.dumps({"some common beginning": {f"k{number}": "x"}}).encode())
    known = [
        shapes.find(json.dumps({"some common beginning": {f"k{number}": "y"}}).encode())
        for number in range(MOST + 5)
    ]
    assert sum(one is not None for one in known) == MOST


def test_what_breaks_off_is_not_learnt():
    shapes = Shapes()
    for _ in range(3):
        shapes.learn(b'{"delta": "abc')
    assert shapes.find(b'{"delta": "abc') is None
