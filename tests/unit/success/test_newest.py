"""What is new in a request, and who says it."""

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.model import Message, Part
from llmproxy_core.success.newest import AGENTS, LONGEST, answer_before, newest, said, untagged


def user(*texts):
    return Message("user", [Part("text", text) for text in texts])


ASSISTANT = Message("assistant", [Part("text", "Yes.")])


def test_what_comes_after_the_last_answer_is_new():
    last = user("And now?")
    assert newest([user("Hi"), ASSISTANT, last]) == [last]
    assert answer_before([user("Hi"), ASSISTANT, last]) == "Yes."


def test_all_of_an_opening_is_new():
    assert said([user("Hi"), user("there")]) == "Hi\nthere"
    assert answer_before([user("Hi")]) == ""


def test_nothing_is_new_after_an_answer():
    assert said([user("Hi"), ASSISTANT]) == ""


def test_words_of_agents_are_not_those_of_a_person():
    reminder = "<system-reminder>Be brief.</system-reminder>"
    assert said([user(reminder, "Go on", reminder)]) == "Go on"


def test_a_tag_that_never_ends_takes_all_that_follows():
    assert untagged("Hi <system-reminder>Be brief.") == "Hi "


def test_only_the_beginning_of_a_long_text_is_looked_at():
    assert len(said([user("a" * 10 * LONGEST)])) == LONGEST


@given(
    st.lists(st.sampled_from(["a", " ", *(f"<{t}>" for t in AGENTS), *(f"</{t}>" for t in AGENTS)]))
)
def test_no_tag_is_left_that_begins(pieces):
    assert not any(f"<{tag}>" in untagged("".join(pieces)) for tag in AGENTS[-1:])
