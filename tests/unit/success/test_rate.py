"""The share of successes, and the interval in which the true one is."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.success.rate import rate, rate_of, verdict, wilson
from llmproxy_core.success.signal import Signal
from tests.unit.success.exchanges import id_of


def signal(call: int, name: str, verdict="bad", weight: float = 1.0) -> Signal:
    return Signal(id_of(call), name, verdict, "wire", weight, "")


@pytest.mark.parametrize(
    ("successes", "calls", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (8, 10, 0.4902, 0.9433),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_that_of_the_literature(successes, calls, low, high):
    """81 of 263: R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    assert wilson(successes, calls) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_rate_is_within_its_interval(one, more):
    found = rate_of(one, one + more)
    low, high = found.interval
    assert 0 <= low <= high <= 1
    assert found.rate is None or low <= found.rate <= high


def test_intervals_hold_the_true_rate_about_as_often_as_they_say():
    dice = random.Random(6)
    hits = 0
    for _ in range(2000):
        low, high = wilson(sum(dice.random() < 0.8 for _ in range(50)), 50)
        hits += low <= 0.8 <= high
    assert 0.93 < hits / 2000 < 0.975


def test_no_calls_have_no_rate():
    assert rate([]) == (0, 0, None, (0.0, 1.0))


def test_more_successes_than_calls_are_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        rate_of(3, 2)


def test_a_call_is_a_success_if_no_counted_signal_is_bad():
    signals = [signal(1, "answered", "good"), signal(2, "answered", "good"), signal(2, "refusal")]
    assert rate(signals)[:3] == (1, 2, 0.5)
    assert rate(signals, counting={"answered"})[:2] == (2, 2)


def test_signals_that_are_not_sure_do_not_count():
    signals = [signal(1, "answered", "good"), signal(1, "refusal", weight=0.4)]
    assert rate(signals).rate == 1
    assert rate(signals, least=0.4).rate == 0


def test_calls_of_which_nothing_is_told_are_successes_where_they_are_named():
    assert rate([signal(1, "refusal")], calls=[id_of(1), id_of(2)])[:2] == (1, 2)


def test_outages_are_neither_successes_nor_failures():
    assert rate([signal(1, "unavailable")])[:2] == (0, 0)


def test_feedback_outweighs_what_is_seen_and_the_latest_holds():
    up, down = signal(1, "feedback", "good"), signal(1, "feedback", "bad")
    assert verdict([signal(1, "truncated"), up]) == "good"
    assert verdict([up, down]) == "bad"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["answered", "refusal"]), st.booleans()))
)
def test_the_order_of_signals_does_not_matter(told):
    signals = [signal(call, name, "good" if good else "bad") for call, name, good in told]
    assert rate(signals) == rate(reversed(signals))
    assert rate(signals).calls == len({one.request for one in signals})


def test_ids_are_those_of_requests():
    assert rate([], calls=[UUID(int=1)]).calls == 1
