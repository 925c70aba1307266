"""The walker over texts that are cut, damaged, or made to hurt."""

import json
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.grammar import Name, Node
from llmproxy_core.namespace.walk import DEEPEST, LONGEST, Walker
from llmproxy_core.namespace.whole import Damaged, names_in

CALL: dict[str, Node] = {"name": Name(), "type": Name(kinds=frozenset({"never"}))}
CALL["in"] = [CALL]
WORDS = (b'name"',)


def found(*pieces: bytes, grammar: Node = CALL) -> list[bytes]:
    walker = Walker(grammar)
    names = [one for piece in pieces for one in walker.feed(piece) if one.holds]
    return [b"".join(pieces)[one.start : one.end] for one in names]


@given(
    key=st.integers(LONGEST - 5, LONGEST + 5),
    name=st.integers(LONGEST - 5, LONGEST + 5),
    cuts=st.lists(st.integers(0, 3 * LONGEST), max_size=4),
)
def test_what_is_found_does_not_depend_on_the_cuts_however_long_keys_and_names_are(
    key: int, name: int, cuts: list[int]
) -> None:
    text = json.dumps(
        {"in": [{"name": "a", "k" * key: "s", "name2": 1}, {"name": "n" * name}], "name": "b"}
    ).encode()
    ends = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)]
    assert found(*pieces) == found(text)
    assert found(text)[::3] in ([b"a"], [b"a", b"b"])
    assert found(text)[-1] == b"b"


def test_after_a_key_that_is_too_long_only_the_rest_of_its_object_is_not_read() -> None:
    inner = {"name": "before", "k" * LONGEST: {"name": "x"}, "type": '"}', "name ": 1}
    text = json.dumps({"in": [inner, {"name": "after"}], "name": "last"}).encode()
    assert found(text) == [b"before", b"after", b"last"]


@pytest.mark.parametrize("bad", [b'"x"', b'"x", ', b'"x" 1', b'"x"}, {"y"', b'"x":, "z" '])
def test_what_is_damaged_hides_no_more_whatever_the_cuts(bad: bytes) -> None:
    pad = b'{"name":"between"},' * 500
    text = b'{"in":[{"name":"a",%b "name":"b"},%b{"name":"c"}],"name":"d"}' % (bad, pad)
    whole = found(text)
    assert found(*(text[at : at + 1] for at in range(len(text)))) == whole
    assert found(text[:60], text[60:]) == whole
    assert whole[:1] == [b"a"]
    assert b"c" in whole


def test_a_request_with_such_a_key_that_strict_parsers_refuse_is_damaged() -> None:
    text = b'{"name": "a", "name": "b", "%b": 1}' % (b"k" * LONGEST)
    with pytest.raises(Damaged):
        names_in(text, CALL, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        b'{"x": NaN, "name": "a"}',
        b'{"x": "\\ud800", "name": "a"}',
        b'{"x": "\xff\xfe", "name": "a"}',
        b'{"name": "a", "name": "a"}',
        b'\xef\xbb\xbf {"name": "a"}',
        b'{"x": [1, 2}, "name": "a"}',
    ],
)
def test_what_strict_parsers_refuse_is_read_all_the_same(text: bytes) -> None:
    assert set(found(text)) == {b"a"}
    assert set(found(*(text[at : at + 1] for at in range(len(text))))) == {b"a"}


@pytest.mark.parametrize("key", [b"na\\u006de", b"\\u006eame", b"NAME", b"name "])
def test_a_key_that_is_written_otherwise_is_another_key(key: bytes) -> None:
    text = b'{"%b": "a", "in": []}' % key
    assert found(text) == []
    assert names_in(text, CALL, WORDS) == []


@pytest.mark.parametrize("text", [b"\xff\xfe{\x00}\x00", b"data: {}", b"<html>", b"{", b'{"name'])
def test_what_is_no_json_is_damaged(text: bytes) -> None:
    with pytest.raises(Damaged):
        names_in(text, CALL, WORDS)


def test_levels_beyond_the_deepest_end_the_search() -> None:
    text = b'{"name":"a","in":[' * DEEPEST + b"]}" * DEEPEST + b' {"name":"b"}'
    assert found(text) == [b"a"] * (DEEPEST // 2)


@pytest.mark.parametrize(
    ("text", "grammar"),
    [
        (b'{"x":' + b"[" * 2_000_000, CALL),
        (b'{"x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", CALL),
        (b"[" * 2_000_000, CALL),
        (b'{"in":[' * 250 + b'{"name":"a"},' * 20_000, CALL),
        (b'{"' + b"k" * 2_000_000 + b'":1}', CALL),
        (b'{"name":"' + b"n" * 2_000_000 + b'"}', CALL),
        (b'{"x":"' + b"\\" * 2_000_001, CALL),
        (b'{"type":"' + b"\\n" * 500_000 + b'"}', CALL),
        (b"{" + b'"' * 2_000_000, CALL),
        (b"{" + b'"":' * 300_000, CALL),
        (b"{}" * 300_000, CALL),
        (b",]}" * 300_000, CALL),
    ],
    ids=["open", "closed", "top", "deep", "key", "name", "slash", "kind", "quote", "colon",
         "empty", "junk"],
)  # fmt: skip
def test_texts_made_to_hurt_take_time_in_proportion_to_their_size(
    text: bytes, grammar: Node
) -> None:
    began = process_time()
    walker = Walker(grammar)
    for at in range(0, len(text), 2**16):
        walker.feed(text[at : at + 2**16])
    assert process_time() - began < 2e-6 * len(text) + 0.2
    assert len(walker._rest) <= 2 * LONGEST


def test_chunks_that_all_end_within_an_escape_are_not_kept() -> None:
    walker = Walker(CALL)
    walker.feed(b'{"x":"')
    for _ in range(10):
        walker.feed(b"n" * 100_000 + b"\\")
        assert walker._rest == b"\\"
    assert walker.feed(b'"", "name": "a"}')


def test_what_stands_before_an_unfinished_key_is_not_kept() -> None:
    walker = Walker(CALL)
    walker.feed(b"{" + b" " * 100_000 + b'"nam')
    assert walker._rest == b'"nam'
