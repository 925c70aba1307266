import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.experiments.comparison import BETTER, WORSE, Comparison, guesses, swapped


@st.composite
def balanced(draw) -> np.ndarray:
    """Counts of two arms that are about as large."""
    size = draw(st.integers(0, 3000))
    sizes = [size, max(0, size + int(draw(st.floats(-2, 2)) * math.sqrt(size)))]
    good = [draw(st.integers(0, one)) for one in sizes]
    counts = [good[0], sizes[0] - good[0], good[1], sizes[1] - good[1]]
    return np.array(counts, dtype=float)


COUNTS = balanced()
RATES = np.linspace(0, 1, 41)
HALF = Comparison(0.5)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("by", [-0.6, -0.05, 0.0, 0.05, 0.3])
@pytest.mark.parametrize("effects", [BETTER, WORSE], ids=["better", "worse"])
def test_the_expectation_of_each_factor_is_at_most_one_under_every_null(share, by, effects):
    """This is the guarantee itself: E is a product of such factors, and a mean of products."""
    found = guesses(share, np.array([by]), effects)
    factors = np.exp(found.terms[0])
    control, variant = np.meshgrid(RATES, RATES)
    null = variant - control <= by + 1e-12
    c, v = control[null][:, None], variant[null][:, None]
    expected = (1 - share) * (c * factors[0] + (1 - c) * factors[1])
    expected = expected + share * (v * factors[2] + (1 - v) * factors[3])

    assert expected.max() <= 1 + 1e-9
    assert np.exp(found.log_weights).sum() == pytest.approx(1)


def test_evidence_is_the_likelihood_ratio_of_turner_ly_and_grunwald():
    """Their E for a simple alternative, equation 3.2: its rates against their weighted mean."""
    counts = np.array([30.0, 20.0, 45.0, 12.0])
    total = []
    for overall, effect in itertools.product(
        1 / (1 + np.exp(-np.arange(-4.0, 4.1, 0.8))), (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
    ):
        c, v = overall - 0.4 * effect, overall + 0.6 * effect
        if c > 0.001 and v < 0.999:
            log_ratio = 30 * math.log(c / overall) + 20 * math.log((1 - c) / (1 - overall))
            log_ratio += 45 * math.log(v / overall) + 12 * math.log((1 - v) / (1 - overall))
            total.append(math.exp(log_ratio))

    assert Comparison(0.4).better(counts) == pytest.approx(math.log(np.mean(total)))


def test_nothing_is_evidence_for_nothing():
    nothing = np.zeros(4)

    assert HALF.better(nothing) == pytest.approx(0)
    assert HALF.harm(nothing) == pytest.approx(0)
    assert HALF.less(nothing, 0.05) == pytest.approx(0)
    assert HALF.harm_as_sized(nothing) == 0
    assert HALF.interval(nothing, 0.05) == (-1.0, 1.0)


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_the_control_beside_the_variant_is_the_variant_beside_the_control(counts):
    mirrored = Comparison(0.7).less(swapped(counts), 0.0)

    assert Comparison(0.3).better(counts) == pytest.approx(mirrored)


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_the_interval_excludes_zero_where_there_is_evidence(counts):
    low, high = HALF.interval(counts, 0.05)

    assert low <= high
    assert (low >= 0) == (HALF.better(counts) >= math.log(20))
    assert (high <= 0) == (HALF.harm(counts) >= math.log(20))


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_an_interval_that_is_wrong_less_often_is_wider(counts):
    low, high = HALF.interval(counts, 0.05)
    wider = HALF.interval(counts, 0.01)

    assert wider[0] <= low
    assert wider[1] >= high


@pytest.mark.parametrize("rates", [(0.7, 0.75), (0.02, 0.02), (0.98, 0.9), (0.5, 0.1)])
def test_intervals_close_in_on_the_difference(rates):
    widths = []
    for n in (100, 1000, 10_000, 100_000):
        counts = np.array([n * rates[0], n * (1 - rates[0]), n * rates[1], n * (1 - rates[1])])
        low, high = HALF.interval(counts, 0.05)
        assert low <= rates[1] - rates[0] <= high
        widths.append(high - low)

    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.03


def test_many_runs_are_judged_as_each_by_itself():
    counts = np.array([[70.0, 30, 80, 20], [7, 3, 2, 8], [0, 0, 0, 0]])

    assert HALF.better(counts) == pytest.approx([float(HALF.better(one)) for one in counts])


@given(COUNTS, st.sampled_from([0.0, 0.02, -0.05]))
@settings(max_examples=50, deadline=None)
def test_evidence_that_holds_for_all_sizes_of_arms_is_never_more(counts, by):
    """0, which is none, where an arm is empty."""
    assert HALF.better_as_sized(counts, by) <= max(0.0, float(HALF.better(counts, by))) + 1e-6
    assert HALF.harm_as_sized(counts) <= max(0.0, float(HALF.harm(counts))) + 1e-6


def test_arms_of_other_sizes_than_were_drawn_are_no_evidence_by_themselves():
    """Ten times as many conversations in one arm, and both succeed as often."""
    counts = np.array([50.0, 50, 500, 500])
    swelled = swapped(counts)

    assert max(float(HALF.harm(one)) for one in (counts, swelled)) > math.log(20)
    assert max(HALF.harm_as_sized(one) for one in (counts, swelled)) < 0


def test_harm_is_found_in_arms_of_other_sizes_too():
    assert HALF.harm_as_sized(np.array([80.0, 20, 100, 300])) > math.log(20)
    assert HALF.better_as_sized(np.array([20.0, 80, 300, 100]), 0.05) > math.log(20)
