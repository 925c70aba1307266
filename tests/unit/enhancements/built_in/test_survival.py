from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.enhancements.built_in.survival import quantile

ANSWERS = st.lists(st.tuples(st.integers(1, 1000), st.booleans()), min_size=1, max_size=60)


def test_without_cuts_it_is_the_quantile():
    assert quantile([(n, False) for n in range(1, 101)], 0.99) == 99
    assert quantile([(n, False) for n in range(1, 101)], 0.5) == 50


def test_a_textbook_case():
    # Kaplan-Meier: survival is 5/6, 5/6 * 3/4 = 0.625, 0.3125 at 1, 4, 7
    answers = [(1, False), (2, True), (4, False), (5, True), (7, False), (8, True)]

    assert quantile(answers, 0.375) == 4
    assert quantile(answers, 0.6) == 7
    assert quantile(answers, 0.7) is None


def test_where_most_were_cut_off_nobody_knows():
    assert quantile([(100, True)] * 9 + [(50, False)], 0.99) is None


@given(ANSWERS, st.integers(1, 500))
def test_an_answer_that_was_cut_off_makes_it_no_shorter(answers, tokens):
    before = quantile(answers, 0.9)
    after = quantile([*answers, (2000, True)], 0.9)

    assert before is None or after is None or after >= before


@given(ANSWERS)
def test_the_order_does_not_matter(answers):
    assert quantile(answers, 0.9) == quantile(answers[::-1], 0.9)
