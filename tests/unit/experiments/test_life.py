from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.errors import ConfigError, ExperimentError
from llmproxy_core.experiments import probation
from llmproxy_core.experiments.experiment import HOLDOUT, Experiment, Variant
from llmproxy_core.experiments.life import (
    NEXT,
    judged,
    promoted,
    rolled_back,
    started,
    stopped,
    watched,
)
from llmproxy_core.experiments.tally import ArmTally, Tally
from llmproxy_core.experiments.verdict import Judge, Verdict

WON = Verdict("won", "It is better.", (), "short")
HARMFUL = Verdict("harmful", "It is worse.", (), dropped=("short",), reasons={"short": "worse"})
FUTILE = Verdict("futile", "It is the same.", ())
OPEN = Verdict("open", "", ())


def winner(draft: Experiment) -> Experiment:
    return judged(started(draft, 1, "ann"), WON, 2)


def test_what_has_won_is_promoted_by_a_person_and_each_step_is_told(draft):
    one = promoted(judged(started(draft, 1, "ann"), WON, 2), 3, "bob", "I believe it")

    assert one.status == one.steps[-1].status == "promoted"
    assert one.promoted == "short"
    assert [(step.status, step.by, step.why) for step in one.steps] == [
        ("running", "ann", "Started."),
        ("won", "llmproxy", "It is better."),
        ("promoted", "bob", "I believe it"),
    ]


def test_harm_is_rolled_back_at_once_by_itself(draft):
    one = judged(started(draft, 1, "ann"), HARMFUL, 2)

    assert one.status == "rolled_back"
    assert [step.status for step in one.steps] == ["running", "harmful", "rolled_back"]
    assert one.dropped == ("short",)


def test_a_variant_that_harms_beside_another_is_dropped_and_told(draft):
    shares = {"control": 0.4, "short": 0.3, "long": 0.3}
    one = replace(draft, variants=(Variant("short"), Variant("long")), shares=shares)
    verdict = replace(HARMFUL, kind="open")
    once = judged(started(one, 1, "ann"), verdict, 2)

    assert (once.status, once.dropped) == ("running", ("short",))
    assert once.steps[-1].why == "Dropped: worse"
    assert once.since("running") == 1
    assert judged(once, verdict, 3) == once


def test_what_has_been_said_stays(draft):
    won = judged(started(draft, 1, "ann"), WON, 2)

    assert judged(won, HARMFUL, 3) == won
    assert judged(won, OPEN, 3) == won


def test_nothing_happens_while_it_cannot_be_told(draft):
    running = started(draft, 1, "ann")

    assert judged(running, OPEN, 2) == running


@pytest.mark.parametrize("verdict", [FUTILE, HARMFUL])
def test_only_what_has_won_can_be_promoted(draft, verdict):
    one = judged(started(draft, 1, "ann"), verdict, 2)

    with pytest.raises(ExperimentError, match="not promoted"):
        promoted(one, 3, "ann", "I want it")


def test_a_step_that_cannot_be_taken_says_which_can(draft):
    with pytest.raises(ExperimentError, match="is draft: it can become rolled_back or running"):
        stopped(draft, 1, "ann", "no")


def test_a_wrong_experiment_does_not_start(draft):
    with pytest.raises(ConfigError, match="its id is"):
        started(replace(draft, id=""), 1, "ann")


STEPS = [
    lambda one, at: started(one, at, "ann"),
    lambda one, at: stopped(one, at, "ann", "no"),
    lambda one, at: promoted(one, at, "ann", "yes"),
    lambda one, at: rolled_back(one, at, "ann", "no"),
    *(lambda one, at, v=v: judged(one, v, at) for v in (WON, HARMFUL, FUTILE, OPEN)),
]


@given(st.lists(st.sampled_from(range(len(STEPS))), max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_life_follows_the_table_and_its_steps_tell_it(walk):
    one = Experiment("e", "e", (Variant("short"),), {"control": 0.5, "short": 0.5})
    for at, number in enumerate(walk):
        before = one
        try:
            one = STEPS[number](one, float(at))
        except ExperimentError:
            assert one == before
    statuses = ["draft", *(step.status for step in one.steps)]

    assert one.status == statuses[-1]
    assert all(b in NEXT[a] for a, b in pairwise(statuses))
    assert Experiment.of(one.to_json()) == one
    if "promoted" in statuses:
        assert "won" in statuses


def test_what_was_promoted_is_rolled_back_when_it_turns_out_to_harm(draft):
    one = promoted(winner(replace(draft, holdout=0.1)), 30.0, "ann", "proven")
    beside = probation.beside_holdout(one)
    judge = Judge(beside, HOLDOUT)
    counts = {HOLDOUT: ArmTally(45, 5), "short": ArmTally(380, 70)}
    assert watched(one, judge.verdict(Tally(counts)), 40.0) is one

    counts["short"] = ArmTally(150, 300)
    ended = watched(one, judge.verdict(Tally(counts)), 40.0)

    assert (ended.status, ended.steps[-1].by) == ("rolled_back", "llmproxy")
    assert "Since it was promoted: 'short' succeeded in 33.3 %" in ended.steps[-1].why
    assert "holdout in 90.0 % of 50" in ended.steps[-1].why


def test_the_evidence_about_what_was_promoted_begins_anew_every_four_weeks(draft):
    one = promoted(winner(replace(draft, holdout=0.1)), 30.0, "ann", "proven")

    assert probation.period(one, 40.0) == 30.0
    assert probation.period(one, 30.0 + 3.5 * probation.PERIOD) == 30.0 + 3 * probation.PERIOD
    assert probation.period(replace(one, holdout=0.0), 40.0) is None
    assert probation.period(winner(draft), 40.0) is None
