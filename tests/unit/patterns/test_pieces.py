"""The words of a template as people see them."""

import pytest

from llmproxy_core.patterns.mining import mine
from llmproxy_core.patterns.pieces import named


def pieces(*texts: str) -> list[str | None]:
    (pattern,) = mine(texts).patterns.values()
    return pattern.pieces()


def test_numbers_that_differ_are_slots() -> None:
    labels = [
        f"Label row {n * 7} of the table: late again in {word}" for n, word in enumerate("abcdef")
    ]
    assert pieces(*labels) == ["Label row", None, "of the table: late again in", None]


def test_numbers_that_are_the_same_are_wording() -> None:
    texts = [f"Write 3 lines about the town of {word}, please." for word in "abcdef"]
    assert pieces(*texts) == ["Write 3 lines about the town of", None, ", please."]


def test_a_name_holds_no_number_of_one_prompt() -> None:
    texts = [
        f"{n * 13} euros are to be spent in the town of {word}" for n, word in enumerate("abcdef")
    ]
    (pattern,) = mine(texts).patterns.values()
    assert pattern.name == "euros are to be spent in the town"


@pytest.mark.parametrize(
    ("template", "examples", "name"),
    [
        ([None, "\n- ", None], ["Fix the lamp", "x"], "such as: Fix the lamp"),
        (["12 + 7 = "], ["12 + 7 ="], "12 + 7 ="),
        ([None], ["\x00\u200b", "???"], "???"),
        ([None], [], "empty prompt"),
        (["\n"], [" "], "empty prompt"),
        (["\x1b[31mStop\x07 it"], [], "31mStop it"),
        (["请翻译"], [], "请翻译"),
    ],
)
def test_what_has_no_words_of_its_own_is_named_by_what_it_has(template, examples, name) -> None:
    assert named(template, ()) != ""
    assert named(template, (), examples) == name
    assert named(template, {name}, examples) == f"{name} (2)"


def test_every_pattern_has_a_name_of_its_own() -> None:
    odd = ["", "?", "12 34", "\x00\x01", "-" * 50, "\ud800"]
    names = [one.name for one in mine([text for text in odd for _ in range(5)]).patterns.values()]
    assert len(set(names)) == len(names) >= len(odd) - 1
    assert all(name.strip() for name in names)
