"""Foreign text made safe."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.tui import plain

NASTY = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x9b[]0;m\x07\r\n\t\u202e\u200d\ufe0f\ud800"))
)


@given(NASTY)
def test_a_line_has_nothing_a_terminal_obeys(text: str) -> None:
    made = plain.line(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in made)
    assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200d")
    made.encode()


@given(NASTY)
def test_a_block_keeps_line_ends_and_nothing_else_of_the_kind(text: str) -> None:
    made = plain.block(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in made if c != "\n")


@given(NASTY)
def test_making_safe_twice_changes_nothing_more(text: str) -> None:
    assert plain.block(plain.block(text)) == plain.block(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_printable_ascii_stays_as_it_is(text: str) -> None:
    assert plain.block(text) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("one\r\ntwo\rthree", "one two three"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
        ("  many   spaces\t\there ", "many spaces here"),
        ("\ud83d alone", "\ufffd alone"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
    ],
)
def test_a_line_reads_as_it_should(text: str, made: str) -> None:
    assert plain.line(text) == made


def test_a_line_is_cut_before_it_costs_anything() -> None:
    assert len(plain.line("x" * 10_000_000)) == 400
