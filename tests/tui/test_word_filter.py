"""Words that leave only some lines of a list."""

import pytest

from llmproxy_core.tui.word_filter import WordFilter, parse


@pytest.mark.parametrize(
    ("typed", "text", "matches"),
    [
        ("", "anything", True),
        ("ticket", "Classify this Ticket", True),
        ("this class", "Classify this ticket", True),
        ("this review", "Classify this ticket", False),
        ("this -ticket", "Classify this ticket", False),
        ("-review", "Classify this ticket", True),
        ("STRASSE", "In der Straße", True),
        ("-", "anything", True),
    ],
)
def test_all_words_must_be_there_and_none_with_a_minus(
    typed: str, text: str, matches: bool
) -> None:
    assert parse(typed).matches(text) is matches


def test_nothing_typed_is_no_filter() -> None:
    assert parse("  ") == WordFilter()
