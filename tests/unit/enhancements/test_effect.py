import math

import pytest

from llmproxy_core.enhancements.effect import effect
from llmproxy_core.experiments.tally import ArmTally, Outcome


def arm(good: int, bad: int, usd: float | None = None) -> ArmTally:
    """Costs vary by half around `usd`."""
    found = ArmTally()
    for number in range(good + bad):
        cost = None if usd is None else usd * math.exp(0.5 * math.sin(number))
        found.add(Outcome(b"%d" % number, "a", number < good, cost))
    return found


def test_the_effect_on_success_lies_within_its_interval():
    found = effect(arm(700, 300), arm(850, 150), 0.5)

    assert found is not None
    assert (found.before, found.after, found.score) == (0.7, 0.85, 0.5)
    assert 0.2 < found.low < 0.5 < found.high < 0.75
    assert (found.before_conversations, found.after_conversations) == (1000, 1000)


def test_more_conversations_tell_more():
    few, many = (effect(arm(70 * n, 30 * n), arm(85 * n, 15 * n), 0.5) for n in (1, 20))

    assert few is not None
    assert many is not None
    assert few.low < 0 < many.low
    assert many.high < few.high


def test_what_harms_has_an_interval_below_nothing():
    found = effect(arm(800, 200), arm(400, 600), 0.5)

    assert found is not None
    assert found.score == -0.5
    assert -0.7 < found.low < -0.5 < found.high < -0.3


def test_the_effect_on_the_cost_is_the_share_that_is_saved():
    found = effect(arm(900, 100, 0.02), arm(900, 100, 0.012), 0.5, "cost")

    assert found is not None
    assert found.aim == "cost"
    assert found.score == pytest.approx(0.4, abs=0.01)
    assert 0.3 < found.low < 0.4 < found.high < 0.5


def test_a_saving_that_costs_success_is_told_as_that():
    found = effect(arm(900, 100, 0.02), arm(800, 200, 0.012), 0.5, "cost")

    assert found is not None
    assert (found.aim, found.before, found.after) == ("success", 0.9, 0.8)
    assert found.score < 0


def test_of_nothing_there_is_no_effect():
    assert effect(ArmTally(), arm(5, 5), 0.5) is None
    assert effect(arm(5, 5), arm(5, 5), 0.5, "cost") is None
