from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.patterns.constant import SAMPLE, ends, sample, wording


def test_the_wording_is_what_prompts_share():
    texts = [f"Summarize this text: {about}\nIn three words:" for about in ("rain", "a fox", "x y")]
    assert wording(texts) == "summarize this text: §\nin three words:"


def test_one_word_at_an_end_is_wording():
    assert (
        wording(["Translate rain today", "Translate a fox", "Translate the sea"]) == "translate §"
    )


def test_words_that_stand_elsewhere_in_each_text_are_no_wording():
    texts = ["Read: the rain of the fox", "Read: a fox in rain", "Read: see of the sea"]
    assert wording(texts).startswith("read: §")


def test_chinese_characters_are_words_without_blanks():
    assert wording(["请总结今天下雨", "请总结孩子学校", "请总结海边老师"]).startswith("请总结")


def test_a_text_alone_is_its_ends():
    assert wording(["Hello " + "x" * 5000 + " World"]).startswith("hello xxx")
    assert wording(["Hello " + "x" * 5000 + " World"]).endswith("xxx world")


def test_nothing_shared_is_empty_or_a_slot():
    assert wording([]) == ""
    assert wording(["a b c", "d e f", "g h i"]) in ("", "§")


def test_ends_leave_short_texts_as_they_are():
    assert ends("  abc ", 2) == "abc"
    assert ends("abcdefgh", 2) == "ab § gh"


@given(st.lists(st.integers(), max_size=100))
def test_a_sample_is_bounded_in_order_and_the_same(numbers):
    texts = [str(number) for number in numbers]
    found = sample(texts)
    assert len(found) == min(len(texts), SAMPLE)
    assert found == sample(texts)
    rest = iter(texts)
    assert all(text in rest for text in found)
