from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.globs import any_of, compiled, fits

PATTERN = st.text("ab*", max_size=6)
TEXT = st.text("ab", max_size=8)


@given(PATTERN, TEXT)
def test_a_compiled_pattern_says_the_same(glob, text):
    assert compiled(glob)(text) == fits(glob, text)


@given(st.lists(PATTERN, max_size=4), TEXT)
def test_any_of_several_is_enough(globs, text):
    assert any_of(globs)(text) == any(fits(glob, text) for glob in globs)


def test_a_star_stands_for_any_characters():
    assert fits("a*c*e", "abcde")
    assert fits("*", "")
    assert not fits("ab*ba", "aba")
    assert not fits("a*c", "abcd")
