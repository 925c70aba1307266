import math

import numpy as np
import pytest

from llmproxy_core.experiments.comparison import Comparison
from llmproxy_core.experiments.experiment import Guard
from llmproxy_core.experiments.guards import LEAST, log_evidence, normal_mixture, rho, watch
from llmproxy_core.experiments.life import judged, started
from llmproxy_core.experiments.tally import ArmTally, Moments, Outcome, Tally
from llmproxy_core.experiments.verdict import Judge

HALF = Comparison(0.5)


def test_the_mixture_is_that_of_confseq():
    """Values of the unit tests of confseq (Howard et al.), from a reference written in R."""
    assert rho(100, 0.05) == pytest.approx(12.60056, abs=1e-5)
    assert normal_mixture(10, 100, rho(100, 0.1)) == pytest.approx(-0.06502391, abs=1e-7)
    assert normal_mixture(27.66071, 100, rho(100, 0.1)) == pytest.approx(math.log(20), abs=1e-5)


def arm(count: int, **values) -> ArmTally:
    found = ArmTally()
    for number in range(count):
        drawn = {name: value(number) for name, value in values.items()}
        found.add(Outcome(b"%d" % number, "a", **drawn))
    return found


def around(value: float):
    return lambda number: value * (1 + 0.3 * math.sin(number))


@pytest.mark.parametrize(
    ("guard", "before", "after"),
    [
        (Guard("cost_usd", 0.25), around(0.01), around(0.02)),
        (Guard("latency_ms", 0.25), around(900), around(1800)),
        (Guard("cached_share", 0.05), around(0.6), around(0.3)),
        (Guard("failed", 0.02), lambda number: number % 20 == 0, lambda number: number % 3 == 0),
    ],
)
def test_a_guard_tells_what_became_worse_and_not_what_became_better(guard, before, after):
    control, variant = arm(300, **{guard.metric: before}), arm(300, **{guard.metric: after})
    told = watch(guard, control, variant, HALF)

    assert told.breached
    assert told.control is not None
    assert told.control == pytest.approx(np.mean([before(n) for n in range(300)]), rel=0.05)
    assert not watch(guard, variant, control, HALF).breached
    assert not watch(guard, control, control, HALF).breached


def test_a_guard_allows_what_it_is_told_to_allow():
    control, variant = arm(300, cost_usd=around(0.01)), arm(300, cost_usd=around(0.012))

    assert watch(Guard("cost_usd", 0.0), control, variant, HALF).breached
    assert not watch(Guard("cost_usd", 0.25), control, variant, HALF).breached


def test_one_conversation_that_costs_a_million_times_as_much_stops_nothing():
    control, variant = arm(300, cost_usd=around(0.01)), arm(300, cost_usd=around(0.01))
    variant.add(Outcome(b"x", "a", cost_usd=10_000.0))

    assert not watch(Guard("cost_usd", 0.0), control, variant, HALF).breached


@pytest.mark.parametrize("value", [math.inf, math.nan, -5.0, 0.0, 1e300])
def test_what_is_no_cost_breaks_nothing(value):
    control, variant = arm(60, cost_usd=around(0.01)), arm(60, cost_usd=around(0.01))
    variant.add(Outcome(b"x", "a", cost_usd=value))

    assert math.isfinite(watch(Guard("cost_usd", 0.25), control, variant, HALF).log_e)


def test_a_guard_says_nothing_of_few_conversations():
    before, after = (arm(LEAST - 1, cost_usd=around(cost)) for cost in (0.01, 1.0))

    assert watch(Guard("cost_usd", 0.25), before, after, HALF).log_e == 0
    assert watch(Guard("cost_usd", 0.25), ArmTally(), ArmTally(), HALF).control is None


def test_values_that_are_all_the_same_are_compared():
    def all_at(value: float) -> Moments:
        return Moments(100, 100 * value, 100 * value * value)

    assert log_evidence(all_at(0.0), all_at(0.0), 0.05) < 0
    assert log_evidence(all_at(0.0), all_at(1.0), 0.05) > 100


BREACHES = {
    "cost_usd": (around(0.01), around(0.02)),
    "latency_ms": (around(900), around(1800)),
    "cached_share": (around(0.6), around(0.3)),
    "failed": (lambda number: number % 20 == 0, lambda number: number % 3 == 0),
}


@pytest.mark.parametrize("metric", BREACHES)
def test_each_guard_stops_an_experiment_by_itself_and_rolls_it_back(draft, metric):
    """Both arms succeed as often; looked at after every conversation."""
    one, tally = started(draft, 1.0, "ann"), Tally()
    judge, number = Judge(one), 0
    while one.status == "running":
        arm, value = ("control", "short")[number % 2], BREACHES[metric][number % 2]
        good = number % 5 > 0
        tally.add(Outcome(b"%d" % number, arm, good, **{metric: value(number)}))
        number += 1
        if number % 10 == 0:
            one = judged(one, judge.verdict(tally), float(number))
        assert number < 600

    assert one.status == "rolled_back"
    assert "more than the guard allows" in one.steps[-1].why


@pytest.mark.parametrize("metric", BREACHES)
def test_a_guard_of_one_metric_lets_equal_arms_go_on(draft, metric):
    one, tally = started(draft, 1.0, "ann"), Tally()
    before, _ = BREACHES[metric]
    for number in range(600):
        arm = ("control", "short")[number % 2]
        tally.add(Outcome(b"%d" % number, arm, number % 5 > 0, **{metric: before(number // 2)}))

    assert judged(one, Judge(one).verdict(tally), 2.0).status == "running"
