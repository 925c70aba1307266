"""Patterns in words."""

from datetime import timedelta
from typing import Any

import pytest

from llmproxy_core.store.pattern_detail import Version
from llmproxy_core.store.patterns import Sums
from llmproxy_core.success.rate import rate_of
from llmproxy_core.tui import operation_words, pattern_words, trend
from tests.tui.demo import NOW


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["Classify: ", None, "\nAnswer"], "Classify:  … \nAnswer"),
        (["From", None, "to", None], "From  …  to  … "),
        ([None, "is it?"], " …  is it?"),
        ([], "no words are the same"),
    ],
)
def test_a_template_is_read_with_a_gap_for_each_slot(pieces: list[str | None], said: str) -> None:
    assert pattern_words.template(pieces).plain == said


def test_a_long_template_is_cut() -> None:
    assert pattern_words.template(["word " * 1000, None], 50).plain == "word " * 10 + " …"


def test_what_a_person_wrote_into_a_template_cannot_move_the_cursor() -> None:
    assert "\x1b" not in pattern_words.template(["\x1b[2Jhello"]).plain


def version(number: int, refused: int) -> Version:
    age = timedelta(days=4 - number)
    sums = Sums(400, 400, 400 - refused, bad={"refusal": refused})
    return Version(number, "Be brief.", NOW - age, NOW, 400, sums)


def test_a_new_version_tells_what_has_changed_since_where_chance_does_not_explain_it() -> None:
    told = pattern_words.version_line([version(1, 8), version(2, 40)], NOW)
    chance = pattern_words.version_line([version(1, 8), version(2, 10)], NOW)

    assert "since then refusal +8.0 points" in told.plain
    assert "since then no change that can be told" in chance.plain


def test_the_only_version_is_not_compared() -> None:
    assert "since then" not in pattern_words.version_line([version(1, 8)], NOW).plain


def test_a_trend_is_as_high_as_its_share_of_the_highest() -> None:
    assert trend.spark([0, 1, 7, 14]) == " ▁▅█"
    assert trend.spark([0, 0]) == "  "
    assert trend.spark([]) == ""


def test_a_rate_is_good_or_bad_only_where_its_whole_interval_is() -> None:
    assert trend.tone(rate_of(990, 1000)) == "good"
    assert trend.tone(rate_of(100, 1000)) == "bad"
    assert trend.tone(rate_of(8, 10)) == "warn"
    assert trend.tone(rate_of(0, 0)) == "faint"


def test_operations_are_told_in_a_line_and_in_full() -> None:
    edit: list[dict[str, Any]] = [
        {"op": "clamp", "parameter": "max_tokens", "max": 100},
        {"op": "append_system", "text": "Be brief.\nBe kind."},
    ]

    assert operation_words.short(edit) == "clamp max tokens, append system"
    assert [line.text for line in operation_words.lines(edit)] == [
        'clamp: parameter = "max_tokens", max = 100',
        "append_system",
        "    Be brief.",
        "    Be kind.",
    ]
