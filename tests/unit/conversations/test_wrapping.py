import time

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.conversations.wrapping import unwrapped


def test_tags_of_clients_go_with_what_stands_in_them():
    text = "<system-reminder>be good</system-reminder>\nMend it.<env>cwd: /</env>"
    assert unwrapped(text) == "\nMend it."


def test_tags_within_tags_go_with_the_outer_one():
    assert unwrapped("a<context><env>x</env></context>b<env>y</env>c") == "abc"


def test_other_tags_and_open_ones_stay():
    for text in ("<b>bold</b>", "<env>never closed", "</env> closed", "1 < 2 > 1"):
        assert unwrapped(text) == text


def test_something_may_stand_in_their_place():
    assert unwrapped("a<env>x</env>b<env></env>", " ") == "a b "


def test_tags_may_have_attributes():
    assert unwrapped('<context ref="1">x</context>y') == "y"


@given(st.lists(st.sampled_from(["<env>", "</env>", "<context>", "</context>", "a", "<b>"])))
def test_what_is_left_was_there_in_that_order(pieces):
    text = "".join(pieces)
    rest = iter(text)
    assert all(sign in rest for sign in unwrapped(text))
    assert unwrapped(text).count("a") <= text.count("a")


def test_many_open_tags_take_no_longer():
    began = time.process_time()
    unwrapped("<env>" * 100_000 + "</context>" * 100_000)
    assert time.process_time() - began < 2
