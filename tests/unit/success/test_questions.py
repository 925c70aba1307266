"""When two texts ask the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.success.questions import LONG, digest, likeness, sketch


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "what is  the capital of france"),
        ("Convert this file to JSON", "Please convert this file to JSON again!"),
        ("Wie spät ist es jetzt?", "Bitte nochmal: wie spät ist es jetzt"),
    ],
)
def test_the_same_question_has_the_same_digest(one, other):
    assert digest(one) == digest(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "What is the capital of Greece?"),
        ("Classify: the parcel is late", "Classify: the parcel is here"),
        ("Add 1 and 2 for me", "Add 1 and 3 for me"),
    ],
)
def test_another_question_has_another_digest(one, other):
    assert digest(one) != digest(other)


@pytest.mark.parametrize("text", ["", "continue", "yes, please", "go on", "ok", "继续", "?!"])
def test_what_is_said_again_and_again_is_no_question(text):
    assert digest(text) is None


@pytest.mark.parametrize("text", ["法国的首都是哪里", "フランスの首都はどこですか"])
def test_a_question_may_have_no_spaces(text):
    assert digest(text) is not None


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_symmetric_and_a_share(one, other):
    a, b = sketch(one), sketch(other)
    assert 0 <= likeness(a, b) == likeness(b, a) <= 1
    assert likeness(a, a) == (1 if a else 0)


def test_a_text_that_is_too_long_is_not_compared():
    assert sketch("word " * LONG) == b""
