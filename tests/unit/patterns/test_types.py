from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.patterns.types import TYPES, Structure, type_of
from tests.unit.patterns.asked import filled, templates


def share(name: str, size: int) -> float:
    told = [(type, type_of(filled(template, size)).type) for type, template in templates(name)]
    return sum(type == found for type, found in told) / len(told)


@pytest.mark.parametrize("name", ["asked.txt", "asked_later.txt"])
@pytest.mark.parametrize(("size", "least"), [(1, 0.85), (4, 0.92), (12, 0.95)])
def test_most_of_our_own_prompts_have_their_type(name, size, least):
    assert share(name, size) >= least


@pytest.mark.parametrize("size", [1, 4, 12])
def test_prompts_worded_as_public_collections_have_their_type(size):
    assert share("asked_widely.txt", size) >= 0.9


@pytest.mark.parametrize(("size", "least"), [(1, 0.72), (12, 0.77)])
def test_many_odd_wordings_have_their_type(size, least):
    assert share("asked_oddly.txt", size) >= least


def test_options_are_labels_where_they_stay_the_same_and_answers_where_they_do_not():
    labels = filled("{sentence}\n{sentence}\nOPTIONS:\n- yes\n- no", 6)
    answers = filled("{sentence}\nOPTIONS:\n- {noun}\n- {noun}", 6)
    assert type_of(labels).type == "classification"
    assert type_of(labels[:1]).type == "classification"
    assert type_of(answers).type == "question_answering"
    assert type_of(answers[:1]).type == "question_answering"


def test_a_question_with_slots_is_another_one_each_time():
    texts = filled("What does {noun} have to do with {noun} in this text?\n{passage}", 6)
    assert type_of(texts).type == "question_answering"


def test_prompts_that_share_nothing_that_tells_vote():
    texts = ["Summarize: rain fell.", "Sum up the old harbour's day", "TL;DR of chess? Thanks"]
    assert type_of(texts).type == "summarization"


def test_each_type_is_found_among_our_own_prompts():
    met = Counter(type_of(filled(template, 4)).type for _, template in templates())
    assert set(met) == set(TYPES)


def test_a_question_that_stays_the_same_about_other_texts_is_a_classification():
    texts = filled("{passage}\nWas this written by a native of the coast?", 6)
    assert type_of(texts).type == "classification"


def test_questions_that_change_want_answers():
    assert type_of(filled("For my trivia night: {question}", 6)).type == "question_answering"


def test_whether_an_answer_is_right_is_question_answering():
    texts = filled('Is "{noun}" the correct answer to the question "{question}"?', 6)
    assert type_of(texts).type == "question_answering"


def test_the_object_tells_what_is_written():
    assert type_of(["Write a summary of the text above."]).type == "summarization"
    assert type_of(["Write a poem about the text above."]).type == "generation"
    assert type_of(["Write a Python function that sorts."]).type == "code"


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("Say hello in one sentence.", "generation"),
        ("What is the capital of France? Answer in one word.", "question_answering"),
        ("What's the weather like in Boston?", "question_answering"),
        ("Describe this image in detail", "generation"),
        ("hello there", "chat"),
    ],
)
def test_short_prompts_are_what_they_seem(text, type):
    assert type_of([text]).type == type


def test_words_in_the_middle_of_a_long_text_do_not_count():
    text = "Summarize this.\n" + "A story. " * 200 + "Translate it into German. " + "More. " * 400
    assert type_of([text]).type == "summarization"


def test_words_that_only_one_prompt_has_do_not_count():
    texts = [f"Summarize this:\n{about}" for about in ("a poem", "sentiment?", "classify me", "x")]
    assert type_of(texts).type == "summarization"


def test_results_of_tools_make_steps_of_an_agent():
    texts = ["go on with the harbour", "now the other one", "and the lights"]
    assert type_of(texts, Structure(tools=1, tool_results=1)).type == "agent_step"
    assert type_of(texts).type != "agent_step"


def test_a_schema_speaks_for_extraction():
    texts = ["the invoice of the harbour, 12 lines", "the bill of the fox", "a letter"]
    assert type_of(texts, Structure(schema=1)).type == "extraction"


def test_a_type_that_is_said_outright_is_more_certain_than_one_that_is_not():
    told = type_of(["Translate into German: rain"])
    assert told.confidence > 0.9 > type_of(["The harbour and rain and cheese."]).confidence


def test_nothing_has_a_type_too():
    assert type_of([]).type in TYPES
    assert type_of(["", "  "]).type in TYPES


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=8))
def test_any_texts_have_the_same_type_each_time(texts):
    first = type_of(texts)
    assert first == type_of(texts)
    assert first.type in TYPES
    assert 0 < first.confidence <= 1


@pytest.mark.parametrize(
    "text", ["a? " * 200_000, "\n" * 500_000, "- x\n" * 100_000, "§" * 300_000]
)
def test_long_texts_take_no_longer_than_their_ends(text):
    assert type_of([text] * 30).type in TYPES
