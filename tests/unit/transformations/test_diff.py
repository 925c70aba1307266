"""What changed, place by place."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from llmproxy_core.transformations.diff import Change, changes, diff, shown
from tests.unit.transformations.done import FEW_SHOT, applied

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=12,
)


def of(before: object, after: object) -> list[Change]:
    return diff(json.dumps(before).encode(), json.dumps(after).encode())


@given(VALUES, VALUES)
@example([[1]], [[True]])
@example([[], [1], [1]], [[1], []])
def test_there_is_a_change_exactly_where_something_is_different(before, after):
    different = json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
    assert bool(of(before, after)) == different


def test_places_are_pointers_and_values_exact():
    before = {"a": {"b/c": 1, "gone": [1]}, "same": "x"}
    after = {"a": {"b/c": 2}, "same": "x", "new": None}

    assert of(before, after) == [
        Change("/a/b~1c", "1", "2"),
        Change("/a/gone", "[1]", None),
        Change("/new", None, "null"),
    ]


def test_what_was_put_into_a_list_is_told_alone():
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    made = applied("openai.chat", body, FEW_SHOT)
    found = diff(json.dumps(body).encode(), made.body)

    assert [(one.place, one.kind) for one in found] == [
        ("/messages/0", "added"),
        ("/messages/1", "added"),
    ]


def test_entries_of_a_list_that_changed_places_are_told():
    assert of(["a", "b", "b"], ["b", "a"]) == [
        Change("/0", None, '"b"'),
        Change("/1", '"b"', None),
        Change("/2", '"b"', None),
    ]


def test_long_lists_are_told_soon():
    before, after = [0, 1] * 20_000, [1, 0] * 20_001
    assert len(of(before, after)) == 80_002


def test_a_long_text_is_shown_around_its_change():
    before = {"system": "x" * 1000 + "old" + "y" * 1000}
    after = {"system": "x" * 1000 + "new" + "y" * 1000}
    text = shown(of(before, after))

    assert text.startswith("@ /system\n- …xxx")
    assert "xold" in text
    assert "+ …" in text
    assert len(text) < 300


def test_path_and_headers_are_told_as_well():
    made = applied(
        "gemini",
        b"{}",
        {"op": "model", "to": "new"},
        {"op": "add_header", "name": "X-Team", "value": "shop"},
        path="/v1/models/old:generateContent",
    )
    found = changes("/v1/models/old:generateContent", [("Host", "h")], b"{}", made)

    assert found[0] == Change(
        "path", "/v1/models/old:generateContent", "/v1/models/new:generateContent"
    )
    assert Change("header x-team", None, "shop") in found


def test_what_is_no_json_is_one_text():
    assert diff(b"a", b"b") == [Change("", "a", "b")]
    assert diff(b"a", b"a") == []


def test_spelling_alone_is_no_change():
    assert diff(b'{"a":1}', b'{ "a": 1 }') == []
