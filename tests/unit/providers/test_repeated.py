import json

import pytest

from llmproxy_core.providers.repeated import repeats, repeats_outside, with_the_first

TWICE = (
    b'{"a": 1, "a": 2}',
    b'{"a": 1, "a": 1}',
    b' {"b": {"c": 1, "c": [2]}}',
    b'{"a":1,"b":2,"\\u0061":3}',
    b'[{"a": {}}, {"a": "x", "b": 0, "a": "y"}]',
)
ONCE = (
    b"{}",
    b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}',
    b'{"\\u0061": 1, "b": "a\\": 1"}',
    b"no",
    b"",
)


@pytest.mark.parametrize("text", TWICE)
def test_a_key_that_is_there_twice_is_found_wherever_it_is(text):
    assert repeats(text.strip())


@pytest.mark.parametrize("text", ONCE)
def test_keys_of_different_objects_are_not_the_same(text):
    assert not repeats(text)
    assert not repeats_outside(text, {"b"})


@pytest.mark.parametrize("text", [TWICE[0], TWICE[1], TWICE[2], TWICE[3]])
def test_an_object_and_what_it_wraps_are_looked_at_without_their_values(text):
    assert repeats_outside(text, {"b"})
    assert not repeats_outside(b'{"c": {"a": 1, "a": 2}}', {"b"})


def test_the_first_of_each_is_what_other_readers_take():
    first = with_the_first(b'{"a": {"b": 1, "b": 2}, "c": 3, "a": 4}')
    assert json.loads(first) == {"a": {"b": 1}, "c": 3}
    assert with_the_first(b"no") == b"no"
