from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from llmproxy_core.experiments.assignment import arm, drawn
from llmproxy_core.experiments.experiment import Experiment, Variant
from llmproxy_core.experiments.life import promoted, rolled_back, started, stopped
from llmproxy_core.hashing import content_hash

ROOTS = [content_hash(b"%d" % number) for number in range(20_000)]
START = 1000.0
LATER = START + 50
DRAWN = [0.3976, 0.476, 0.1486, 0.4487, 0.4629, 0.4787]


def running(draft: Experiment) -> Experiment:
    return started(draft, START, "ann")


def three(**change) -> Experiment:
    shares = {"control": 0.5, "a": 0.2, "b": 0.1}
    one = Experiment("three", "three", (Variant("a"), Variant("b")), shares, **change)
    return running(one)


def test_arms_are_as_large_as_their_shares():
    arms = Counter(arm(three(), root, LATER) for root in ROOTS)

    found = [arms[name] for name in ("control", "a", "b", None)]
    assert chisquare(found, [10_000, 4_000, 2_000, 4_000]).pvalue > 0.001


def test_roots_that_differ_in_a_byte_fall_into_arms_by_chance(draft):
    roots = [number.to_bytes(16) for number in range(20_000)]
    arms = Counter(arm(running(draft), root, LATER) for root in roots)

    assert chisquare([arms["control"], arms["short"]]).pvalue > 0.001


@pytest.mark.parametrize("salts", [("a", "b"), ("1", "2"), ("x", "x1")])
def test_experiments_are_independent_of_each_other(draft, salts):
    first, second = (running(replace(draft, salt=salt)) for salt in salts)
    table = Counter((arm(first, root, LATER), arm(second, root, LATER)) for root in ROOTS)

    arms = ("control", "short")
    assert chi2_contingency([[table[a, b] for b in arms] for a in arms]).pvalue > 0.001


def test_experiments_with_one_salt_draw_the_same(draft):
    one, other = running(replace(draft, salt="s")), running(replace(draft, id="other", salt="s"))

    assert all(arm(one, root, LATER) == arm(other, root, LATER) for root in ROOTS[:500])


def test_the_holdout_does_not_depend_on_shares_and_is_independent_of_arms():
    one = three(holdout=0.1)
    other = replace(one, shares={"control": 0.2, "a": 0.4, "b": 0.4})
    out = {root for root in ROOTS if drawn("three\0holdout", root) < 0.1}

    assert len(out) / len(ROOTS) == pytest.approx(0.1, abs=0.01)
    assert all(arm(one, root, LATER) is None is arm(other, root, LATER) for root in out)
    arms = Counter(arm(one, root, LATER) for root in ROOTS if root not in out)
    assert arms["control"] / (len(ROOTS) - len(out)) == pytest.approx(0.5, abs=0.015)


@given(salt=st.text(max_size=20), root=st.binary(min_size=16, max_size=16))
def test_what_is_drawn_is_the_same_each_time_and_below_one(salt, root):
    assert 0 <= drawn(salt, root) < 1
    assert drawn(salt, root) == drawn(salt, root)


def test_what_is_drawn_stays_as_it_is_from_version_to_version():
    assert [round(drawn("0199-e", root), 4) for root in ROOTS[:6]] == DRAWN


def test_a_draft_changes_nothing(draft):
    assert {arm(draft, root, LATER) for root in ROOTS[:100]} == {None}


def test_conversations_that_began_before_the_experiment_are_in_no_arm(draft):
    assert {arm(running(draft), root, START - 1) for root in ROOTS[:100]} == {None}


def test_a_conversation_keeps_its_arm_when_the_experiment_is_stopped(draft):
    one = running(draft)
    after = stopped(one, START + 100, "ann", "enough")

    assert all(arm(after, root, LATER) == arm(one, root, LATER) for root in ROOTS[:100])
    assert {arm(after, root, START + 101) for root in ROOTS[:100]} == {None}


def test_what_is_promoted_is_for_all_that_begin_later_but_the_holdout(draft):
    one = running(replace(draft, holdout=0.2))
    won = replace(one, status="won", promoted="short")
    after = promoted(won, START + 100, "ann", "proven")

    assert all(arm(after, root, LATER) == arm(one, root, LATER) for root in ROOTS[:200])
    later = Counter(arm(after, root, START + 100) for root in ROOTS)
    assert later["short"] / len(ROOTS) == pytest.approx(0.8, abs=0.02)
    assert later.keys() == {"short", None}


def test_what_is_rolled_back_is_gone_at_once(draft):
    won = replace(running(draft), status="won", promoted="short")
    after = rolled_back(promoted(won, START + 9, "ann", "proven"), START + 60, "ann", "no")

    assert {arm(after, root, LATER) for root in ROOTS[:100]} == {None}


def test_a_dropped_variant_changes_nothing_and_the_others_keep_their_conversations():
    one = three()
    after = replace(one, dropped=("a",))

    for root in ROOTS[:500]:
        before = arm(one, root, LATER)
        assert arm(after, root, LATER) == (None if before == "a" else before)
