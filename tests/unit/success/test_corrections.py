"""Corrections by the user, in fourteen languages, and what only looks like them."""

import json
from pathlib import Path

import pytest

from llmproxy_core.success.corrections import corrected, correction_in
from llmproxy_core.success.phrases import read_patterns
from tests.unit.success.exchanges import chat, id_of

TEXTS = json.loads((Path(__file__).parent / "correction_texts.json").read_text("utf-8"))
CORRECTING = [(lang, text) for lang, texts in TEXTS["correcting"].items() for text in texts]
GOING_ON = [(lang, text) for lang, texts in TEXTS["going_on"].items() for text in texts]


@pytest.mark.parametrize(("lang", "text"), CORRECTING)
def test_a_correction_is_known_by_its_beginning(lang, text):
    assert correction_in(text) is not None


@pytest.mark.parametrize(("lang", "text"), GOING_ON)
def test_what_goes_on_is_no_correction(lang, text):
    assert correction_in(text) is None


def test_every_language_has_texts():
    languages = {lang for lang, _ in read_patterns("corrections.txt", "correcting")}
    assert languages == set(TEXTS["correcting"]) == set(TEXTS["going_on"])


def test_it_is_about_the_call_before():
    said = ("Sum it up.", "It is 41.", "No, that's wrong.")
    signal = corrected(chat(*said, number=2, parent=1, relation="append"))
    assert signal is not None
    assert (signal.request, signal.by, signal.verdict) == (id_of(1), id_of(2), "bad")


def test_a_no_to_a_question_is_hardly_one():
    said = ("Write it.", "Should I use tabs?", "No, use spaces")
    signal = corrected(chat(*said, number=2, parent=1, relation="append"))
    assert signal is not None
    assert signal.weight < 0.5


def test_words_that_an_agent_puts_before_it_do_not_hide_it():
    text = "<system-reminder>\nBe nice.\n</system-reminder>\nThat's wrong."
    signal = corrected(chat("a", "b", text, number=2, parent=1, relation="append"))
    assert signal is not None


@pytest.mark.parametrize("relation", ["root", "retry", "subagent", "compaction"])
def test_only_the_next_turn_corrects(relation):
    assert corrected(chat("a", "b", "That's wrong.", parent=1, relation=relation)) is None


@pytest.mark.parametrize("text", ["", "\ud800", "no " * 100_000, "<system-reminder>" * 10_000])
def test_no_text_makes_it_raise(text):
    assert (
        corrected(chat("a", "b", text.replace("\ud800", ""), parent=1, relation="append")) is None
    )
    correction_in(text)
