"""How deep in JSON within JSON a text has got."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.redaction.nesting import Nesting


def depth(*texts: str) -> int:
    nesting = Nesting()
    for text in texts:
        nesting.feed(text)
    return nesting.depth


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ("", 0),
        ('She said "', 0),
        ("{name}, ", 0),
        ('[1] "', 0),
        ('{"a": ', 0),
        ('{"a": "', 1),
        ('{"a": "b', 1),
        ('{"a": "b"', 0),
        ('{"a": "\\"', 1),
        ('{"a": "{\\"', 2),
        ('{"a": "{\\"b\\": [', 1),
        (' [ "x", "{\\"b\\": \\"[\\\\\\"', 3),
        ('{"a": "\\ud83d', 1),
    ],
)
def test_strings_that_are_open_are_counted(text: str, deep: int):
    assert depth(text) == deep
    assert depth(*text) == deep


@settings(deadline=None)
@given(st.text('{["a\\ ', max_size=40), st.integers(1, 7))
def test_it_makes_no_difference_how_it_comes(text: str, size: int):
    assert depth(*[text[at : at + size] for at in range(0, len(text), size)]) == depth(text)


def test_json_within_json_is_followed():
    inner = json.dumps({"b": "HERE"})
    text = json.dumps({"a": json.dumps({"x": inner})})
    assert depth(text[: text.index("HERE")]) == 3
