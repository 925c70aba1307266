"""Documents: whatever is in them, joined they are the same bytes again."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.spans import frame, items
from llmproxy_core.spans.cuts import elements
from llmproxy_core.spans.cutter import Cut, Cutter
from llmproxy_core.spans.marks import without_marks
from tests.unit.providers.corpus import body, exchanges, headers, needs_corpus

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=400),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=40,
)
TEXT = "All work and no play makes Jack a dull boy. " * 12


def opened(*cuts: Cut) -> list[frame.Document]:
    """The documents, with all pieces that were kept."""
    pieces = {digest: data for cut in cuts for digest, data in cut.pieces.items()}
    return [frame.opened(items.join(cut.items, pieces)) for cut in cuts]


def message(role: str, text: str, **more: Any) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": text, **more}]}


def dumped(value: object, **how: Any) -> bytes:
    return json.dumps(value, **{"separators": (",", ":"), **how}).encode("utf-8", "surrogatepass")


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_come_back(data, apart):
    cutter = Cutter()
    asked, answered = (
        cutter.request([("a", "b")], data, apart),
        cutter.answer([], [("c", "d")], data, apart),
    )
    assert [found.body for found in opened(asked, answered)] == [data, data]
    assert opened(asked)[0].headers == [("a", "b")]


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_any_json_comes_back(value, indent, ascii_only):
    data = json.dumps(
        {"model": "x", "messages": [value] * 3, "x": value}, indent=indent, ensure_ascii=ascii_only
    ).encode("utf-8", "surrogatepass")
    cutter = Cutter()
    assert [one.body for one in opened(cutter.request([], data, True))] == [data]


@pytest.mark.parametrize(
    "data",
    [
        b'{"messages":[{"role":"user","content":"\\ud800 ' + b"x" * 500 + b'"}], "a": "\\u0000"}',
        b'{"a":1,"messages":['
        + b'"'
        + b"y" * 300
        + b'"],"messages":["'
        + b"z" * 300
        + b'"],"a":2}',
        b'\xef\xbb\xbf{ "messages" :\n[ "' + b"x" * 300 + b'" ,\t"' + b"y" * 300 + b'" ] } \n',
        b'{"n": NaN, "m": [-Infinity, 1e999], "messages": ["' + b"x" * 300 + b'"]}',
        b'{"messages": ["' + b"x" * 300,
        b"\xff\xfe" * 400,
    ],
    ids=["surrogate", "repeated keys", "spacing and BOM", "NaN", "cut off", "no JSON"],
)
def test_odd_bodies_come_back(data):
    cutter = Cutter()
    asked, answered = cutter.request([], data, True), cutter.answer([], [], data, True)
    assert [one.body for one in opened(asked, answered)] == [data, data]


@pytest.mark.parametrize("name", ["surrogate", "NaN"])
def test_what_json_readers_refuse_is_cut_all_the_same(name):
    odd = {"surrogate": b'"\\udc00"', "NaN": b"NaN"}[name]
    text = dumped([message("user", TEXT + str(n)) for n in range(3)])
    data = b'{"odd":' + odd + b',"messages":' + text + b"}"
    assert [data[a:b] for a, b in elements(data)] == [
        dumped(message("user", TEXT + str(n))) for n in range(3)
    ]


def test_headers_with_odd_characters_come_back():
    odd = [("X-\x00", "\udce9"), ("", ""), ("x", "ü" * 300), ("x", "again")]
    assert opened(Cutter().request(odd, b"", True))[0].headers == odd


def test_a_message_that_comes_again_is_no_new_piece():
    cutter = Cutter()
    first = [message("user", TEXT), message("assistant", TEXT + "!")]
    cutter.request([], dumped({"messages": first}), True)
    again = cutter.request([], dumped({"messages": [*first, message("user", TEXT + "?")]}), True)
    assert list(again.pieces.values()) == [dumped(message("user", TEXT + "?"))]


@given(JSON, JSON, st.integers(0, 6), st.booleans())
def test_what_begins_as_another_body_comes_back_and_is_cut_alike(old, new, place, spaced):
    said = [message("user", f"{n} {TEXT}") for n in range(4)]
    how = {"separators": (", ", ": ")} if spaced else {}
    values = [said, said, "x" * 300, {"contents": said}, [*said, "y"], TEXT, "z"]
    names = ["system", "messages", "instructions", "request", "input", "prompt", "last"]
    first = dict(zip(names, values, strict=True))
    second = dict(first, **{names[place]: new}) if spaced else first | {"messages": [*said, old]}
    bodies = [dumped(one, ensure_ascii=False, **how) for one in (first, second, first)]
    cutter = Cutter()
    outline: list[Any] = []
    cuts = []
    for one in bodies:
        cuts.append(cutter.request([], one, True, outline=outline))
        outline = cuts[-1].outline
    assert [found.body for found in opened(*cuts)] == bodies
    assert cuts[2].items == cuts[0].items


@pytest.mark.parametrize("how", [{}, {"separators": (", ", ": ")}])
def test_a_cache_mark_that_moves_makes_no_new_piece(how):
    cutter = Cutter()
    marked = message("user", TEXT, cache_control={"type": "ephemeral", "ttl": "1h"})
    sent = dumped({"messages": [marked]}, **how)
    first = cutter.request([], sent, True)
    assert opened(first)[0].body == sent
    moved = cutter.request([], dumped({"messages": [message("user", TEXT)]}, **how), True)
    assert moved.pieces == {}


def test_a_mark_at_the_beginning_of_an_object_is_found():
    data = b'{"cache_control": {"type": "ephemeral"}, "text": "x"}'
    rest, inserts = without_marks(data)
    assert rest == b'{"text": "x"}'
    assert items.inserted(rest, inserts) == data


@pytest.mark.parametrize("streamed", [True, False])
def test_what_an_answer_said_is_no_new_piece_in_the_next_request(streamed):
    cutter = Cutter()
    words = f'"Quoted" and\nbroken, ünïcode: {TEXT}'
    answer = stream(words) if streamed else dumped({"content": [{"type": "text", "text": words}]})
    first = cutter.answer([], [], answer, True)
    assert len(first.pieces) == 1
    said = message("assistant", words)
    again = cutter.request([], dumped({"messages": [said]}), True)
    assert opened(first)[0].body == answer
    assert again.pieces == {}


def stream(words: str) -> bytes:
    out = [b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1"}}\n\n']
    for at in range(0, len(words), 7):
        delta = {"type": "text_delta", "text": words[at : at + 7]}
        data = dumped({"type": "content_block_delta", "index": 0, "delta": delta})
        out.append(b"event: content_block_delta\ndata: " + data + b"\n\n")
    return b"".join(out)


def test_cutting_takes_linear_time():
    def seconds(size: int) -> float:
        data = b'{"messages":[' + b",".join([b'{"a":"' + b"x" * 200 + b'"}'] * size) + b"]}"
        keys = b'{"messages":["' + b"x" * 200 + b'"],' + b'"k":1,' * (40 * size) + b'"z":2}'
        quotes = b'{"a":"' + b'\\":\\"' * (40 * size) + b'","b":' + b':"' * (40 * size)
        began = time.process_time()
        for one in (data, keys, quotes, b": " * (100 * size), b'":"' * (70 * size)):
            Cutter().request([], one, True)
            Cutter().answer([], [], one, True)
        return time.process_time() - began

    seconds(100)
    assert seconds(8000) < 20 * max(seconds(1000), 0.005)


@needs_corpus
def test_every_recorded_exchange_comes_back():
    cutter = Cutter()
    pieces: dict[bytes, bytes] = {}
    for exchange in exchanges():
        sides = (
            cutter.request(headers(exchange, "request"), body(exchange, "request"), True),
            cutter.answer(headers(exchange, "response"), [], body(exchange, "response"), True),
        )
        for side, cut in zip(("request", "response"), sides, strict=True):
            pieces |= cut.pieces
            found = frame.opened(items.join(cut.items, pieces))
            assert found.body == body(exchange, side)
            assert found.headers == headers(exchange, side)
