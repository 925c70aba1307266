import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.experiments.tally import Outcome, Tally

KNOWN = st.none() | st.booleans()
OUTCOMES = st.lists(
    st.builds(
        Outcome,
        root=st.binary(min_size=16, max_size=16),
        arm=st.sampled_from(["control", "a", "b"]),
        good=KNOWN,
        cost_usd=st.none() | st.floats(0, 100),
        latency_ms=st.none() | st.floats(0, 1e6),
        failed=KNOWN,
        cached_share=st.none() | st.floats(0, 1),
    ),
    max_size=30,
    unique_by=lambda one: one.root,
)


def same(one: Tally, other: Tally) -> bool:
    names = one.arms.keys() | other.arms.keys()
    return all(
        numbers(one, name) == pytest.approx(numbers(other, name), abs=1e-6) for name in names
    )


def numbers(tally: Tally, name: str) -> list[float]:
    arm = tally.arm(name)
    sums = [x for m in arm.moments.values() for x in (m.n, m.total, m.squares)]
    return [arm.good, arm.bad, arm.failed, arm.answered, *sums]


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(outcomes, random):
    mixed = list(outcomes)
    random.shuffle(mixed)

    assert same(Tally.of(outcomes), Tally.of(mixed))


@given(OUTCOMES, OUTCOMES)
def test_what_is_removed_was_never_there(kept, other):
    tally = Tally.of(kept)
    for one in other:
        tally.add(one)
    for one in other:
        tally.remove(one)

    assert same(tally, Tally.of(kept))


@given(OUTCOMES)
def test_sums_are_the_same_after_they_were_json(outcomes):
    tally = Tally.of(outcomes)

    assert Tally.from_json(json.loads(json.dumps(tally.to_json()))) == tally


def test_a_conversation_counts_once_as_it_was_told_last():
    tally = Tally.of([Outcome(b"r", "a", good=True), Outcome(b"r", "a", good=False)])

    assert (tally.arm("a").good, tally.arm("a").bad) == (0, 1)


def test_what_is_not_known_is_not_counted():
    tally = Tally.of([Outcome(b"r", "a")])

    assert tally.judged == 0
    assert tally.arm("a").rate is None
    assert tally.arm("a").answered == 0


def test_what_failed_costs_nothing_that_counts():
    """A refusal is cheap: whoever cures refusals is not dear."""
    failed = Outcome(b"r", "a", False, cost_usd=0.01, latency_ms=90.0, cached_share=0.5)
    known = Tally.of([failed]).arm("a").moments

    assert [known[name].n for name in ("cost_usd", "latency_ms", "cached_share")] == [0, 0, 1]
