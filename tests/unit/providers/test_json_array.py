import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers import json_array
from llmproxy_core.providers.json_array import ArrayReader

values = st.recursive(
    st.none() | st.text(max_size=6) | st.sampled_from(['"', "\\", '{"', "}]", "\\\\"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
objects = st.lists(st.dictionaries(st.text(max_size=4), values, max_size=3), max_size=4)


@given(objects, st.integers(1, 9), st.sampled_from([None, 2]))
def test_objects_come_out_whole_whatever_the_cuts(items, size, indent) -> None:
    body = json.dumps(items, indent=indent).encode()
    reader = ArrayReader()
    found = [o for i in range(0, len(body), size) for o in reader.feed(body[i : i + size])]
    assert [json.loads(item) for item in found] == items
    assert not reader.open


def test_an_object_that_does_not_end_is_held_back() -> None:
    reader = ArrayReader()
    assert reader.feed(b'[{"a": 1}, {"b": "}') == [b'{"a": 1}']
    assert reader.open


def test_an_object_above_the_limit_is_dropped_and_counted(monkeypatch) -> None:
    monkeypatch.setattr(json_array, "LIMIT", 50)
    reader = ArrayReader()
    body = b'[{"a": "' + b"x" * 100 + b'"}, {"b": 1}]'
    found = [o for i in range(0, len(body), 11) for o in reader.feed(body[i : i + 11])]
    assert found == [b'{"b": 1}']
    assert reader.dropped == 1
