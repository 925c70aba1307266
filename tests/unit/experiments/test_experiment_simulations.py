"""What is promised of experiments, simulated. `python -m benchmarks.experiments` does more of it."""

import math

import numpy as np
import pytest

from benchmarks.simulated_experiments import (
    NEVER,
    Arms,
    drifting,
    false_wins,
    guard_alarms,
    lognormal,
    of_users,
    pareto,
    simulate,
)
from llmproxy_core.experiments.comparison import Comparison
from llmproxy_core.experiments.plan import conversations_needed

SEED = 6


def test_of_10000_equal_variants_looked_at_after_every_conversation_5_percent_win_at_most():
    better, worse = false_wins(0.7, runs=10_000, most=500, seed=SEED)

    assert better <= 0.05
    assert worse <= 0.05


@pytest.mark.parametrize("base", [drifting, of_users])
def test_equal_variants_do_not_win_while_rates_drift_or_users_are_alike(base):
    better, worse = false_wins(0.0, runs=3_000, most=500, seed=SEED, base=base)

    assert better <= 0.05
    assert worse <= 0.05


def test_the_simulation_finds_what_is_no_evidence():
    """Arms of 60 and 40 % that are judged as if they were halves: the test above can fail."""
    arms = Arms((0.7, 0.7), 500, SEED, share=0.6)
    for _ in range(500):
        arms.go_on()

    assert (Comparison(0.5).better(arms.counts) >= math.log(20)).mean() > 0.1


@pytest.mark.parametrize(("rate", "share"), [(0.02, 0.5), (0.5, 0.1), (0.95, 0.8)])
def test_few_equal_variants_win_at_other_rates_and_shares(rate, share):
    better, worse = false_wins(rate, runs=1_000, most=500, seed=SEED, share=share)

    assert better <= 0.05
    assert worse <= 0.05


def test_five_points_more_than_70_percent_are_found_in_5000_conversations_with_80_percent():
    found = simulate((0.7, 0.75), runs=600, most=5_000, seed=SEED)

    assert found.share("won") >= 0.8
    assert found.share("harmful") <= 0.05


def test_a_variant_that_loses_20_points_is_stopped_for_harm_within_200_conversations():
    found = simulate((0.7, 0.5), runs=1_000, most=1_500, seed=SEED)

    assert found.quantile(0.5) <= 200
    assert found.share("harmful") >= 0.95
    assert found.share("won") == 0


@pytest.mark.parametrize("share", [0.3, 0.2, 0.1])
def test_fewer_conversations_meet_what_harms_where_its_share_is_small(share):
    found = simulate((0.7, 0.5), runs=500, most=4_000, seed=SEED, share=share)

    assert found.quantile(0.5) * share <= 60
    assert found.share("harmful") >= 0.9


def test_where_a_tenth_of_the_outcomes_is_unknown_five_points_are_still_found():
    found = simulate((0.7, 0.75), runs=200, most=7_500, seed=SEED, unknown=(0.1, 0.1))

    assert found.share("won") >= 0.8


def test_a_variant_whose_bad_outcomes_stay_unknown_does_not_win():
    """Both succeed in 70 %; half of the variant's failures are never told."""
    hidden = simulate((0.7, 0.7 / 0.85), 200, 2_000, SEED, unknown=(0.0, 0.15))

    assert hidden.share("won") <= 0.05


def test_a_variant_that_changes_nothing_is_given_up():
    found = simulate((0.95, 0.95), runs=200, most=3_000, seed=SEED)

    assert found.share("futile") >= 0.85


@pytest.mark.parametrize(("rate", "effect"), [(0.5, 0.1), (0.9, 0.05)])
def test_what_is_planned_is_about_what_is_needed(rate, effect):
    planned = conversations_needed(rate, effect)
    found = simulate((rate, rate + effect), runs=200, most=2 * planned, seed=SEED)

    assert 0.5 * planned < found.quantile(0.8) < 1.1 * planned


@pytest.mark.parametrize(("rate", "effect"), [(0, 0.1), (0.7, 0.3), (0.7, 0)])
def test_what_cannot_be_is_not_planned(rate, effect):
    with pytest.raises(ValueError, match="between 0 and 1"):
        conversations_needed(rate, effect)


@pytest.mark.parametrize(("draw", "metric"), [(lognormal, "cost_usd"), (pareto, "latency_ms")])
def test_guards_let_heavy_tails_pass_that_are_the_same(draw, metric):
    told = guard_alarms(draw, metric, runs=60, most=1_000, seed=SEED)

    assert (told != NEVER).mean() <= 0.05


@pytest.mark.parametrize(("draw", "metric"), [(lognormal, "cost_usd"), (pareto, "latency_ms")])
def test_guards_stop_what_costs_or_takes_twice_as_much(draw, metric):
    told = guard_alarms(draw, metric, runs=40, most=1_500, seed=SEED, worse=2.0, allowed=1.25)

    assert (told != NEVER).all()
    assert np.median(told) <= 500
