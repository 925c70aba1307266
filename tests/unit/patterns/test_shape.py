from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.patterns.shape import BEGIN, CUT, EDGE, END, TOKEN, codes, shape, shortened


@given(st.text())
def test_each_token_of_a_text_is_one_character(text):
    assert len(codes(text)) == len(TOKEN.findall(text))


@given(st.text(), st.text())
def test_texts_with_a_blank_between_them_are_read_one_after_the_other(one, other):
    assert codes(f"{one} {other}") == codes(one) + codes(other)


def test_numbers_are_alike_and_words_are_not():
    assert shape("rate 12 of 5") == shape("rate 7 of 100")
    assert shape("rate this") != shape("Rate this")


def test_line_ends_of_windows_are_line_ends():
    assert shape("a\r\n\r\nb\r\nc") == shape("a\n\nb\nc")


def test_chinese_is_read_character_by_character():
    assert codes("翻译成英文") == "翻译成英文"


def test_lone_surrogates_and_control_characters_are_tokens():
    assert len(codes("\ud800 \x00 \x01")) == 3
    assert BEGIN[0] not in codes("\x01\x02")


def test_the_middle_of_a_long_text_is_left_out():
    text = "head " * EDGE + "tail " * EDGE
    assert CUT in shape(text)
    assert len(shortened(text)) == 2 * EDGE + 1
    assert shape(shortened(text)) == shape(text)
    assert shape(text).startswith(BEGIN + codes("head head"))
    assert shape(text).endswith(codes("tail tail") + END)
