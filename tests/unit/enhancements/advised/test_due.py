from dataclasses import replace

import pytest

from llmproxy_core.enhancements.advised.due import not_due, success
from tests.unit.enhancements.made import failing


def test_a_pattern_that_surely_fails_is_asked_about():
    assert not_due(failing(200, 80)) is None


def test_one_that_may_be_good_enough_is_left_alone():
    found = failing(60, 15)  # 75 %, perhaps 84 %

    assert "perhaps 84%" in (not_due(found) or "")


def test_little_traffic_tells_nothing():
    assert not_due(failing(49, 40)) == "49 judged calls; 50 are needed"


def test_the_same_evidence_is_not_asked_about_twice():
    found = failing()

    assert (
        not_due(found, asked={found.hash}) == "it was asked before, and nothing has changed since"
    )


def test_more_of_the_same_is_the_same_evidence():
    assert failing(200, 80).hash == failing(1000, 400).hash
    assert replace(failing(), exemplars=failing().exemplars[1:]).hash == failing().hash


@pytest.mark.parametrize(
    "change",
    [
        {"template": "Sort this letter:\n{slot}"},
        {"calls": failing(200, 140).calls},
        {"calls": tuple(replace(one, model="claude-opus-4-5") for one in failing().calls)},
    ],
)
def test_another_text_model_or_rate_is_another_evidence(change):
    assert replace(failing(), **change).hash != failing().hash


def test_only_signals_that_count_are_failures():
    found = failing(200, 80)

    assert success(found).rate == 0.6
    assert success(found, counting={"answered"}).rate == 1.0
    assert not_due(found, counting={"answered"}) is not None


def test_without_texts_of_failures_there_is_nothing_to_show():
    bare = replace(failing(), exemplars=failing().exemplars[5:])

    assert "texts of fewer than 3 failures" in (not_due(bare) or "")


def test_calls_that_nobody_may_edit_are_no_reason():
    signed = tuple(replace(one, editable=False) for one in failing().calls)

    assert not_due(replace(failing(), calls=signed)) == "no call of the pattern can be edited"
