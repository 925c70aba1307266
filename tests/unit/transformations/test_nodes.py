"""A JSON text is changed where it is changed, and nowhere else."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.outgoing import edited
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.document import Document, at, drop, pointed, pointer, put
from llmproxy_core.transformations.nodes import Node

KEYS = st.text(st.characters(codec="utf-8"), max_size=4)
LEAVES = st.none() | st.booleans() | st.integers(-9, 10**12) | st.text(max_size=6)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)
STYLES = [{}, {"separators": (",", ":")}, {"indent": 2}, {"ensure_ascii": False}]
PLAIN = st.sampled_from(["a", "b", "list", "é", "new"])
OBJECTS = st.dictionaries(PLAIN, VALUES, max_size=5)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "insert", "pop", "replace", "deep"]),
        PLAIN,
        st.integers(0, 4),
        VALUES,
    ),
    max_size=6,
)


@given(OBJECTS, STEPS, st.sampled_from(STYLES), st.sampled_from([b"", b" \n"]))
def test_changes_mean_what_they_mean_in_python_and_edits_tell_all_of_them(value, steps, style, pad):
    body = pad + json.dumps(value, **style).encode() + pad
    document = Document(body)
    for kind, key, number, new in steps:
        change(document, value, kind, key, number, new)
    edits = document.edits()
    after = edited(body, edits)

    assert json.loads(after) == value
    assert list(json.loads(after)) == list(value)
    assert all(a[1] <= b[0] for a, b in pairwise(edits))
    assert document.root.read() == value


def change(
    document: Document, value: dict[str, Any], kind: str, key: str, n: int, new: Any
) -> None:
    """The same to both."""
    node, raw = document.root.get(key), json.dumps(new).encode()
    if kind == "put":
        value[key] = new
        document.root.put(key, raw)
    elif kind == "remove":
        assert (key in value) == document.root.remove(key)
        value.pop(key, None)
    elif kind == "deep" and isinstance(value.get(key), dict):
        value[key]["z"] = new
        put(document.root, (key, "z"), raw)
    elif isinstance(value.get(key), list):
        there = value[key]
        assert node is not None
        if kind == "insert":
            there.insert(n, new)
            node.insert(n, raw)
        elif kind == "pop" and n < len(there):
            del there[n]
            assert node.remove(n)
        elif kind == "replace" and n < len(there):
            there[n] = new
            node.elements()[n].replace(raw)


def node_at(document: Document, *path: str) -> Node:
    found = at(document.root, path)
    assert found is not None
    return found


def test_what_is_not_changed_keeps_its_spelling():
    body = b'{"a" : 1.50,"b":[ 1,2 ,3],  "c":"\\u00e9"}'
    document = Document(body)
    node_at(document, "b").remove(1)

    assert edited(body, document.edits()) == b'{"a" : 1.50,"b":[ 1 ,3],  "c":"\\u00e9"}'


def test_new_entries_are_spaced_as_the_others_are():
    spaced, tight = Document(b'{"a": 1, "b": [1, 2]}'), Document(b'{"a":1,"b":[1,2]}')
    for document in (spaced, tight):
        document.root.put("c", b"3")
        node_at(document, "b").append(b"4")

    assert spaced.written(spaced.edits()) == b'{"a": 1, "b": [1, 2, 4], "c": 3}'
    assert tight.written(tight.edits()) == b'{"a":1,"b":[1,2,4],"c":3}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b'{"a":1} {}',
        b'{"a":1,"a":2}',
        b'{"a":',
        b"{" + b'"a":{' * 5000,
    ],
)
def test_what_is_no_object_or_repeats_a_key_cannot_be_changed(body):
    with pytest.raises(Cannot):
        _ = Document(body).root.items


def test_a_list_of_very_many_entries_is_left_alone():
    document = Document(b'{"a":[' + b"1," * 200_000 + b"1]}")
    with pytest.raises(Cannot, match="200001 entries"):
        node_at(document, "a").elements()


@given(st.lists(st.text(max_size=4), max_size=4))
def test_pointers_are_read_as_they_are_written(path):
    assert pointed(pointer(tuple(path))) == tuple(path)


def test_a_pointer_needs_objects_on_its_way_and_numbers_in_arrays():
    document = Document(b'{"a": [1], "s": "x"}')
    put(document.root, ("a", "-"), b"2")
    put(document.root, ("n", "m"), b"3")

    assert document.root.read() == {"a": [1, 2], "s": "x", "n": {"m": 3}}
    assert not drop(document.root, ("a", "07"))
    for path in (("s", "x"), ("a", "9"), ("a", "x", "y")):
        with pytest.raises(Cannot):
            put(document.root, path, b"1")
