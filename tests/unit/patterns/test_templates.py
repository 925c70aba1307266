from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.patterns.fitting import fitted
from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.shape import BEGIN, END, codes, shape
from llmproxy_core.patterns.templates import enough, evidence, fits, gaps, more_general

WORDS = st.text("abcdefgh ", min_size=1).filter(str.strip)
QUESTION = (BEGIN + codes("Question:"), codes("\nAnswer:") + END)


@given(WORDS)
def test_a_text_is_its_runs_and_what_is_between_them(filling):
    shaped = shape(f"Question: {filling}\nAnswer:")
    found = gaps(QUESTION, shaped)
    assert found is not None
    assert found[0] + QUESTION[0] + found[1] + QUESTION[1] + found[2] == shaped


@given(st.text())
def test_what_fits_is_what_has_gaps(text):
    assert fits(QUESTION, shape(text)) == (gaps(QUESTION, shape(text)) is not None)


def test_runs_must_not_overlap():
    runs = (BEGIN + codes("a b"), codes("b c") + END)
    assert not fits(runs, shape("a b c"))
    assert fits(runs, shape("a b b c"))


def test_a_template_with_fewer_runs_is_more_general():
    special = (QUESTION[0], codes("\nHint:"), QUESTION[1])
    assert more_general(QUESTION, special)
    assert not more_general(special, QUESTION)
    assert not more_general(QUESTION, QUESTION)


def test_words_tell_more_than_punctuation():
    assert evidence((BEGIN + codes("Sum up the dialogue:"),)) > 5
    assert evidence((codes(". , ."),)) < 1


def test_many_prompts_that_only_begin_alike_are_no_pattern():
    assert not enough((BEGIN + codes("Write a"),), 100)
    assert not enough((), 100)


def test_the_template_of_prompts_is_what_they_share():
    shapes = [shape(f"Is this positive?\n{one} {one * 2}.\nAnswer:") for one in "abcdefgh"]
    assert fitted(shapes) == (BEGIN + codes("Is this positive?\n"), codes("\nAnswer:") + END)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_a_glance_at_both_ends_finds_what_reading_all_finds(pieces, filling):
    templates = [QUESTION, (codes(" ".join(pieces) + " and so on and on"),)]
    index = Index(templates, ["", "and"])
    for text in (
        f"Question: {filling * 300}\nAnswer:",
        f"Question: {filling * 300}",
        f"{filling * 200} {' '.join(pieces)} and so on and on {filling * 200}",
    ):
        assert index.best_in(text) == index.best(shape(text))
