import pytest

from llmproxy_core.patterns.openings import openings, opens_as

ONE = ["You are a harbour pilot, and guide large ships.", "Give your final answer as JSON."]


def alike(one: list[str], other: list[str]) -> bool:
    return opens_as(openings(other), openings(one)[0])


@pytest.mark.parametrize(
    "other",
    [
        ONE,
        ["You are a careful harbour pilot, and guide all large ships.", "Give it as JSON."],
        ["Today is Monday, so be quick about it.", *ONE],
    ],
)
def test_an_opening_that_is_edited_or_put_later_is_the_same(other):
    assert alike(ONE, other)


def test_another_opening_before_the_same_rest_is_another():
    assert not alike(ONE, ["You are a tax adviser for small firms.", *ONE[1:]])


def test_words_that_most_prompts_open_with_say_nothing():
    assert openings(["You are a", "You're the one"]) == []


def test_where_nothing_is_told_nothing_differs():
    assert opens_as([], [1, 2])
    assert opens_as([{1}], [])
