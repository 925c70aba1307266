from datetime import timedelta

import pytest

from benchmarks.savings import looks
from llmproxy_core.enhancements import Enhancement, built_in, candidate, life
from llmproxy_core.enhancements.feasible import check
from llmproxy_core.enhancements.savings import Savings
from llmproxy_core.enhancements.trial import VARIANT, experiment, followed
from llmproxy_core.errors import ConfigError, EnhancementError
from llmproxy_core.experiments import life as trials
from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.experiments.tally import Tally
from llmproxy_core.experiments.verdict import Judge
from tests.unit.enhancements.made import PATTERN, START, calls, evidence, suggestion

LATER = START + timedelta(hours=1)


def begun(one: Enhancement) -> tuple[Enhancement, Experiment]:
    trial = experiment(one, "x1", "mail: one")
    running = trials.started(trial, 0.0, "ann")
    return life.begin(life.approve(one, LATER, "ann"), LATER, "worker", "x1"), running


def seen(control: float, variant: float, saved: float = 0.0) -> Tally:
    *_, tally = looks(control, variant, saved, 1, 6000, 6000)
    return Tally({CONTROL: tally.arm(CONTROL), VARIANT: tally.arm("marked")})


def ended(one: Enhancement, trial: Experiment, tally: Tally) -> Experiment:
    verdict = Savings(trial).decided(one.aim, Judge(trial).verdict(tally), tally)
    return trials.judged(trial, verdict, 1.0)


def test_an_experiment_tries_the_edit_on_the_patterns_conversations():
    one = candidate(suggestion(wires=("openai.chat", "gemini")), "e1", PATTERN, START)

    trial = experiment(one, "x1", "mail: JSON only", share=0.2, counting=["format"])

    assert trial.pattern == PATTERN
    assert trial.variant(VARIANT).operations == ({"op": "append_system", "text": "Answer with JSON only."},)  # type: ignore[union-attr]  # fmt: skip
    assert trial.shares == {CONTROL: 0.8, VARIANT: 0.2}
    assert trial.when == 'wire in ["gemini", "openai.chat"]'
    assert trial.counting == ("format",)


def test_a_share_that_is_none_is_refused():
    one = candidate(suggestion(), "e1", PATTERN, START)

    with pytest.raises(ConfigError, match="share"):
        experiment(one, "x1", "x", share=1.0)


def test_what_wins_is_promoted_with_its_score():
    one, trial = begun(candidate(suggestion(), "e1", PATTERN, START))
    tally = seen(0.6, 0.8)

    won = ended(one, trial, tally)
    assert won.status == "won"
    assert followed(one, won, tally, LATER) is one  # until somebody promotes it
    one = followed(one, trials.promoted(won, 2.0, "ann", "It helps."), tally, LATER)

    assert (one.status, one.was_applied) == ("promoted", True)
    assert one.effectiveness_score == pytest.approx(0.5, abs=0.1)
    assert one.history[-1].who == "experiment:x1"
    assert one.history[-1].why == "It helps."


def test_what_harms_is_rolled_back_by_itself():
    one, trial = begun(candidate(suggestion(), "e1", PATTERN, START))
    tally = seen(0.8, 0.6)

    one = followed(one, ended(one, trial, tally), tally, LATER)

    assert one.status == "rolled_back"
    assert one.effectiveness_score == pytest.approx(-0.25, abs=0.06)


def test_a_suggestion_from_data_that_saves_is_promoted():
    (told,), _ = built_in(evidence(calls(100)), check)
    one, trial = begun(candidate(told, "e1", PATTERN, START))
    tally = seen(0.9, 0.9, saved=0.4)

    won = ended(one, trial, tally)
    one = followed(one, trials.promoted(won, 2.0, "ann", "Cheaper."), tally, LATER)

    assert one.status == "promoted"
    assert one.effectiveness_score == pytest.approx(0.4, abs=0.1)


def test_what_was_promoted_may_be_rolled_back_later():
    one, trial = begun(candidate(suggestion(), "e1", PATTERN, START))
    tally = seen(0.6, 0.8)
    promoted = trials.promoted(ended(one, trial, tally), 2.0, "ann", "It helps.")
    one = followed(one, promoted, tally, LATER)

    back = trials.rolled_back(promoted, 3.0, "ann", "The model is another.")
    again = followed(one, back, tally, LATER)

    assert again.status == "rolled_back"
    assert followed(again, back, tally, LATER) is again


def test_while_it_runs_nothing_follows():
    one, trial = begun(candidate(suggestion(), "e1", PATTERN, START))

    assert followed(one, trial, Tally(), LATER) is one


def test_another_ones_experiment_is_refused():
    one, trial = begun(candidate(suggestion(), "e1", PATTERN, START))
    other = life.begin(
        life.approve(candidate(suggestion(), "e2", PATTERN, START), LATER, "ann"),
        LATER,
        "worker",
        "x2",
    )

    with pytest.raises(EnhancementError, match="its experiment is x2, not x1"):
        followed(other, trial, Tally(), LATER)
    assert one.experiment_id == trial.id
