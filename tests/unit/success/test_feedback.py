"""What a person says of an answer, in a header of a later request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.success.feedback import HEADER, LONGEST, MOST, Feedback, take_feedback
from tests.unit.success.exchanges import id_of

OTHERS = [("Host", "api.example.com"), ("X-Api-Key", "k"), ("host", "again")]


def test_the_header_is_read_and_taken_out():
    taken = take_feedback([OTHERS[0], ("X-LLMProxy-Feedback", "msg_1=up, resp_2=DOWN"), OTHERS[1]])
    assert taken.headers == [OTHERS[0], OTHERS[1]]
    assert taken.feedback == [Feedback("msg_1", "good"), Feedback("resp_2", "bad")]
    assert taken.problems == []


def test_headers_without_it_stay_the_same_object():
    assert take_feedback(OTHERS).headers is OTHERS


def test_the_last_word_about_an_answer_holds():
    taken = take_feedback([(HEADER, "a1=up"), (HEADER, "a1=down")])
    assert taken.feedback == [Feedback("a1", "bad")]


def test_ids_may_hold_what_providers_put_into_them():
    taken = take_feedback([(HEADER, "chatcmpl-A_b.c:d/e+f===up")])
    assert taken.feedback == [Feedback("chatcmpl-A_b.c:d/e+f==", "good")]


@pytest.mark.parametrize("value", ["up", "=up", "id=", "id=great", "i d=up", "x" * 300 + "=up"])
def test_what_is_no_verdict_is_told_and_taken_out_too(value):
    taken = take_feedback([(HEADER, value)])
    assert (taken.headers, taken.feedback) == ([], [])
    assert "is not ID=up or ID=down" in taken.problems[0]


def test_no_more_is_read_than_anybody_sends():
    taken = take_feedback([(HEADER, ",".join(f"id{n}=up" for n in range(MOST + 5)))])
    assert len(taken.feedback) == MOST
    assert taken.problems == [f"{HEADER}: only the first {MOST} entries are read"]
    assert take_feedback([(HEADER, "a" * 10 * LONGEST)]).problems


@given(st.lists(st.text()))
def test_no_value_makes_it_raise_or_leaves_the_header(values):
    taken = take_feedback([*OTHERS, *((HEADER, value) for value in values)])
    assert taken.headers == OTHERS


def test_a_verdict_is_a_signal_about_the_request_that_it_names():
    signal = Feedback("msg_1", "bad").signal(id_of(1), "the date is wrong", id_of(2))
    assert (signal.request, signal.name, signal.verdict) == (id_of(1), "feedback", "bad")
    assert (signal.source, signal.by) == ("user", id_of(2))
