import random
from dataclasses import replace

import pytest

from llmproxy_core.enhancements.built_in.truncation import suggest
from llmproxy_core.model import Usage
from tests.unit.enhancements.made import call, calls, evidence, figure, some

CUT = frozenset({"truncated"})


def limited(n: int = 200, limit: int = 400, seed: int = 1):
    """Answers of 300 tokens in the mean, some of which the limit cuts off."""
    dice = random.Random(seed)
    observed = []
    for number in range(n):
        wanted = round(dice.gauss(300, 60))
        cut = CUT if wanted >= limit else frozenset()
        usage = Usage(100, min(wanted, limit))
        observed.append(call(number, usage=usage, bad=cut, parameters={"max_tokens": limit}))
    return tuple(observed)


def test_the_new_limit_leaves_room_for_nearly_all():
    (one,) = suggest(evidence(limited()))

    (operation,) = one.edit
    assert operation["op"] == "clamp"
    assert operation["parameter"] == "max_tokens"
    # 99 % of them have fewer than 300 + 2.33 * 60 = 440 tokens
    assert 440 <= figure(operation, "min") <= 900
    assert one.aim == "success"
    assert "cut off at max_tokens (400)" in one.reasoning


def test_where_all_are_cut_off_the_limit_doubles():
    observed = calls(50, usage=Usage(100, 256), bad=CUT, parameters={"max_tokens": 256})

    (one,) = suggest(evidence(observed))

    assert one.edit[0]["min"] == 512


def test_calls_with_a_higher_limit_tell_how_long_answers_are():
    short = calls(50, usage=Usage(100, 100), bad=CUT, parameters={"max_tokens": 100})
    long = calls(150, usage=Usage(100, 700), parameters={"max_tokens": 2000})

    (one,) = suggest(evidence(short + long))

    assert one.edit[0]["min"] == 896  # 700 * 1.25, in steps of 64


def test_nobody_is_told_to_write_more_than_the_model_can():
    observed = calls(
        60, model="claude-3-haiku", usage=Usage(9, 4096), bad=CUT, parameters={"max_tokens": 4096}
    )

    assert suggest(evidence(observed)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {}},
        {"parameters": {"max_tokens": True}},
        {"parameters": {"max_tokens": "400"}},
        {"usage": Usage(100, 90)},  # the context window was full
        {"bad": frozenset()},
        {"editable": False},
        {"usage": Usage()},
    ],
    ids=str,
)
def test_other_ends_of_answers_are_no_reason(change):
    observed = calls(100, usage=Usage(100, 400), bad=CUT, parameters={"max_tokens": 400})

    assert suggest(evidence(tuple(replace(one, **change) for one in observed))) == []


def test_few_cuts_and_little_traffic_are_no_reason():
    whole = calls(1000, usage=Usage(9, 50), parameters={"max_tokens": 400})

    assert suggest(evidence(some(whole, 5, usage=Usage(9, 400), bad=CUT))) == []
    assert suggest(evidence(limited(20))) == []


def test_it_tells_what_more_it_may_cost():
    (one,) = suggest(evidence(limited()))

    assert "USD a day more" in one.reasoning
