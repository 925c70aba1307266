from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.enhancements import Enhancement, candidate, life
from llmproxy_core.enhancements.life import STEPS
from llmproxy_core.errors import EnhancementError
from tests.unit.enhancements.made import PATTERN, START, suggestion

LATER = START + timedelta(hours=1)


@pytest.fixture
def new() -> Enhancement:
    return candidate(suggestion(), "e1", PATTERN, START)


def took(one: Enhancement, step: str) -> Enhancement:
    """A step with all that it needs."""
    extra: dict[str, Any] = {"why": "because"}
    if step == "begin":
        extra = {"experiment_id": "x1", "auto_experiment": True}
    if step == "promote":
        extra["effectiveness"] = 0.4
    stepped: Enhancement = getattr(life, step)(one, LATER, "ann", **extra)
    return stepped


def test_a_candidate_is_born_with_who_suggested_it_and_why(new):
    (born,) = new.history

    assert (new.status, new.was_applied, new.effectiveness_score) == ("candidate", False, None)
    assert (born.who, born.before, born.after) == ("built-in:test", None, "candidate")
    assert born.why == new.reasoning


def test_what_is_proven_better_is_promoted(new):
    one = life.approve(new, LATER, "ann")
    one = life.begin(one, LATER, "worker", "x1")
    one = life.promote(one, LATER, "experiment:x1", "won: +9 points", 0.4)

    assert (one.status, one.was_applied, one.effectiveness_score) == ("promoted", True, 0.4)
    assert [change.after for change in one.history] == [
        "candidate",
        "approved",
        "experimenting",
        "promoted",
    ]
    assert one.experiment_id == "x1"


def test_what_does_harm_is_rolled_back_and_keeps_its_score(new):
    one = life.roll_back(took(took(new, "begin"), "promote"), LATER, "worker", "cost rose")

    assert (one.status, one.effectiveness_score) == ("rolled_back", 0.4)
    assert life.roll_back(took(new, "begin"), LATER, "x", "harm", -0.2).effectiveness_score == -0.2


def test_nobody_promotes_what_was_not_tried(new):
    for one in (new, took(new, "approve"), took(new, "reject")):
        with pytest.raises(EnhancementError, match="promote is not possible"):
            took(one, "promote")


def test_an_experiment_needs_an_approval_or_the_setting(new):
    with pytest.raises(EnhancementError, match="auto_experiment"):
        life.begin(new, LATER, "worker", "x1")

    assert life.begin(new, LATER, "worker", "x1", auto_experiment=True).status == "experimenting"


@pytest.mark.parametrize(("who", "why"), [("", "because"), ("  ", "because"), ("ann", " ")])
def test_each_step_tells_who_and_why(new, who, why):
    with pytest.raises(EnhancementError, match="who does it, and why"):
        life.reject(new, LATER, who, why)


def test_a_person_may_try_again(new):
    one = life.reconsider(took(new, "reject"), LATER, "ann", "the model is another")

    assert one.status == "candidate"
    assert len(one.history) == 3


def test_a_score_beyond_one_is_refused(new):
    with pytest.raises(EnhancementError, match="between -1 and 1"):
        life.promote(took(new, "begin"), LATER, "x", "won", 1.5)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_whatever_is_tried_the_history_tells_how_it_came_here(wanted):
    one = candidate(suggestion(), "e1", PATTERN, START)
    for step in wanted:
        before = one
        try:
            one = took(one, step)
        except EnhancementError:
            assert step not in life.steps(before)
            assert one is before
        else:
            assert one.history[:-1] == before.history
            assert one.history[-1].before == before.status

    assert one.history[-1].after == one.status
    promoted = [n for n, change in enumerate(one.history) if change.after == "promoted"]
    assert all(one.history[n - 1].after == "experimenting" for n in promoted)
