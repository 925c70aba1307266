import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.elements import WRAPPERS, elements

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


def test_a_list_is_cut_into_its_elements_and_all_else_stays_whole():
    body = b'{"model": "m", "messages": [{"role": "user"}, {"role": "assistant"}], "n": 1}'
    found = [(one.path, one.listed, bytes(one.raw)) for one in elements(body)]
    assert found == [
        (("model",), False, b'"m"'),
        (("messages",), True, b'{"role": "user"}'),
        (("messages",), True, b'{"role": "assistant"}'),
        (("n",), False, b"1"),
    ]


def test_an_element_alone_is_a_body_of_the_same_shape():
    body = b'{"messages": [{"role": "user"}, {"role": "tool"}]}'
    assert [one.alone() for one in elements(body)] == [
        b'{"messages":[{"role": "user"}]}',
        b'{"messages":[{"role": "tool"}]}',
    ]


def test_an_object_that_wraps_another_is_cut_further():
    turns = [{"role": "user", "parts": [{"text": "a"}]} for _ in range(3)]
    body = json.dumps({"request": {"contents": turns, "model": "m"}, "project": "p"}).encode()
    paths = [one.path for one in elements(body)]
    assert paths == [("request", "contents")] * 3 + [("request", "model"), ("project",)]


def test_the_type_of_a_frame_stays_with_its_elements():
    body = b'{"type": "response.create", "response": {"input": [{"role": "user"}]}}'
    assert [one.alone() for one in elements(body)] == [
        b'{"type":"response.create"}',
        b'{"type":"response.create","response":{"input":[{"role": "user"}]}}',
    ]


def test_the_same_element_has_the_same_hash_wherever_it_stands():
    first, second = (
        [one.hash for one in elements(json.dumps({"messages": turns}).encode())]
        for turns in ([{"a": 1}], [{"b": 2}, {"a": 1}])
    )
    assert first[0] == second[1]


@given(
    st.dictionaries(st.text(max_size=6).filter(lambda key: key not in WRAPPERS), JSON, max_size=5)
)
def test_all_of_an_object_is_in_its_elements(value):
    body = json.dumps(value).encode()
    back: dict[str, object] = {key: [] for key, inner in value.items() if isinstance(inner, list)}
    for one in elements(body):
        alone = json.loads(one.alone())
        if one.path != ("type",):
            alone.pop("type", None)
        if one.listed:
            back[one.path[0]] += alone[one.path[0]]
        else:
            back |= alone
    assert back == value


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_is_cut_or_one_element(body):
    for one in elements(body):
        assert one.alone()


def test_deep_nesting_is_left_whole():
    body = b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert len(list(elements(body))) <= 1
