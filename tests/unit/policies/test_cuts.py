"""Values that go out of a JSON text, and nothing with them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.policies.cuts import Cut, Unreadable, without

VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=12,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: Any = enumerate(value) if isinstance(value, list) else ()
    items = value.items() if isinstance(value, dict) else items
    return [one for key, inner in items for one in ((*path, key), *paths(inner, (*path, key)))]


def plainly(value: Any, gone: set[tuple[str | int, ...]], path: Any = ()) -> Any:
    if isinstance(value, dict):
        return {
            key: plainly(inner, gone, (*path, key))
            for key, inner in value.items()
            if (*path, key) not in gone
        }
    if isinstance(value, list):
        return [
            plainly(inner, gone, (*path, at))
            for at, inner in enumerate(value)
            if (*path, at) not in gone
        ]
    return value


@settings(deadline=None)
@given(VALUES, st.data(), st.sampled_from([None, 1]))
def test_what_is_cut_goes_and_all_else_stays(value: Any, data: st.DataObject, indent: int | None):
    known = paths(value)
    gone = data.draw(st.sets(st.sampled_from(known))) if known else set()
    text = json.dumps(value, indent=indent).encode()
    assert json.loads(without(text, map(Cut, gone))) == plainly(value, gone)


def test_only_its_bytes_go():
    text = b' { "a" : [ 1 ,2,  3 ] ,"b":{} , "c": "\\u0061" }'
    assert without(text, [Cut(("a", 1))]) == b' { "a" : [ 1,  3 ] ,"b":{} , "c": "\\u0061" }'
    assert without(text, [Cut(("a",))]) == b' { "b":{} , "c": "\\u0061" }'
    assert without(text, [Cut(("b",), b"[]")]) == text.replace(b"{}", b"[]")
    assert without(text, []) is text


@pytest.mark.parametrize("text", [b'{"a": 1, "a": 2}', b'{"\\u0061": 1}', b"{", b""])
def test_what_cannot_be_read_is_not_cut(text: bytes):
    with pytest.raises(Unreadable):
        without(text, [Cut(("a",))])
