"""The sample that the advisor judges, and what it says of it."""

import pytest

from llmproxy_core.success.judgements import is_sampled, judgement
from tests.unit.success.exchanges import id_of


def test_the_sample_has_the_share_that_was_asked_for():
    sampled = sum(is_sampled(id_of(n), 0.1) for n in range(20_000))
    assert 1850 < sampled < 2150


@pytest.mark.parametrize(("share", "sampled"), [(0, False), (1, True)])
def test_none_and_all(share, sampled):
    assert all(is_sampled(id_of(n), share) is sampled for n in range(1000))


def test_a_larger_share_holds_the_smaller_one():
    assert all(is_sampled(id_of(n), 0.5) for n in range(1000) if is_sampled(id_of(n), 0.1))


def test_the_confidence_is_the_weight():
    signal = judgement(id_of(1), "bad", 0.7, "It answers another question.")
    assert (signal.source, signal.weight, signal.why) == (
        "advisor",
        0.7,
        "It answers another question.",
    )


def test_a_confidence_that_is_none_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        judgement(id_of(1), "bad", 7, "")
