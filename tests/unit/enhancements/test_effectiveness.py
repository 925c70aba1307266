import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.enhancements.effectiveness import Arm, effectiveness, gain, mean

RATES = st.floats(0, 1)


def test_it_is_the_share_of_the_failures_that_are_gone():
    assert effectiveness(Arm(1000, 700), Arm(1000, 850)) == 0.5
    assert effectiveness(Arm(1000, 700), Arm(1000, 350)) == -0.5


def test_for_the_cost_it_is_the_share_that_is_saved():
    assert effectiveness(Arm(100, 90, 0.02), Arm(100, 90, 0.005), "cost") == 0.75
    assert effectiveness(Arm(100, 90, 0.02), Arm(100, 89, 0.03), "cost") == -0.5


def test_savings_do_not_pay_for_successes():
    assert effectiveness(Arm(100, 90, 0.02), Arm(100, 45, 0.001), "cost") == -0.5


@pytest.mark.parametrize("arm", [Arm(0, 0), Arm(0, 0, 1.0)])
def test_an_empty_arm_tells_nothing(arm):
    assert effectiveness(Arm(10, 5), arm) is None
    assert effectiveness(arm, Arm(10, 5)) is None


def test_without_prices_a_saving_is_not_known():
    assert effectiveness(Arm(100, 90), Arm(100, 90, 0.1), "cost") is None


@given(RATES, RATES)
def test_it_lies_between_minus_one_and_one_with_the_sign_of_the_difference(before, after):
    found = gain(before, after)

    assert -1 <= found <= 1
    assert (found > 0) == (after > before)
    assert (found < 0) == (after < before)


def test_experiments_count_by_their_conversations():
    assert mean([(0.5, 300), (-0.1, 100)]) == 0.35
    assert mean([]) is None
