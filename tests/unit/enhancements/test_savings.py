from dataclasses import replace

import pytest

from benchmarks.savings import NAME, TRIED, looks, won_at
from llmproxy_core.enhancements.effectiveness import arm, effectiveness
from llmproxy_core.enhancements.savings import Savings
from llmproxy_core.experiments.experiment import CONTROL
from llmproxy_core.experiments.tally import ArmTally, Tally
from llmproxy_core.experiments.verdict import Judge

JUDGE, SAVINGS = Judge(TRIED), Savings(TRIED)


def last(control: float, variant: float, saved: float, most: int = 4000) -> Tally:
    *_, tally = looks(control, variant, saved, 1, most, most)
    return tally


def proven(*case: float, runs: int) -> int:
    """Runs in which a saving is proven at any look."""
    return sum(won_at(SAVINGS, case, seed, 4000, 250) is not None for seed in range(runs))


def test_what_is_cheaper_and_no_worse_wins():
    tally = last(0.9, 0.9, 0.4)

    found = SAVINGS.decided("cost", JUDGE.verdict(tally), tally)

    assert (found.kind, found.variant) == ("won", NAME)
    assert "less in a typical conversation" in found.why


def test_savings_are_found_with_some_thousand_conversations():
    assert proven(0.9, 0.9, 0.4, runs=100) >= 80


def test_what_saves_nothing_hardly_ever_wins():
    assert proven(0.9, 0.9, 0.0, runs=200) <= 10


def test_what_saves_and_fails_more_often_does_not_win():
    tally = last(0.9, 0.84, 0.4, most=10_000)

    assert proven(0.9, 0.84, 0.4, runs=200) <= 10
    assert SAVINGS.decided("cost", JUDGE.verdict(tally), tally).kind == "harmful"


def test_an_experiment_about_success_is_judged_as_it_is():
    tally = last(0.9, 0.9, 0.4)
    verdict = JUDGE.verdict(tally)

    assert SAVINGS.decided("success", verdict, tally) is verdict


def test_without_a_saving_it_goes_on_as_long_as_it_may():
    tally = last(0.9, 0.9, 0.0)
    verdict = JUDGE.verdict(tally)
    short = Savings(replace(TRIED, most=4000))

    assert SAVINGS.decided("cost", verdict, tally).kind == "open"
    assert short.decided("cost", verdict, tally).kind == "futile"


def test_what_was_dropped_does_not_win():
    tally = last(0.9, 0.9, 0.4)
    verdict = replace(JUDGE.verdict(tally), dropped=(NAME,))

    assert SAVINGS.decided("cost", verdict, tally).kind == "open"


def test_where_conversations_of_an_arm_are_missing_nothing_is_told():
    tally = last(0.9, 0.9, 0.4)
    (compared,) = JUDGE.verdict(tally).compared
    missing = replace(JUDGE.verdict(tally), compared=(replace(compared, unbalanced=True),))

    assert SAVINGS.decided("cost", missing, tally).kind == "open"


def test_the_first_conversations_tell_nothing():
    empty = Tally()

    assert SAVINGS.saving(empty, NAME).proven(0.05) is False
    assert SAVINGS.decided("cost", JUDGE.verdict(empty), empty).kind == "open"


def test_its_effectiveness_is_what_it_saves():
    tally = last(0.9, 0.9, 0.4)

    score = effectiveness(arm(tally.arm(CONTROL)), arm(tally.arm(NAME)), "cost")

    assert score == pytest.approx(0.4, abs=0.1)
    assert arm(ArmTally()).usd is None
