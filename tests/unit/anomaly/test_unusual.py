"""By simulation, with fixed seeds: traffic that does not change, and traffic that does."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.unusual import Call, Unusual

FIRST = Call("ns", "agent", "m", at=1.7e9, hour=9)
SHAPES = {
    "steady": lambda rng: 1000.0,
    "narrow": lambda rng: math.exp(rng.gauss(8, 0.4)),
    "wide": lambda rng: math.exp(rng.gauss(8, 1)),
    "waiting": lambda rng: 1 + rng.expovariate(1 / 3000),
    "two sorts": lambda rng: math.exp(
        rng.gauss(6, 0.3) if rng.random() < 0.7 else rng.gauss(9, 0.4)
    ),
}


def traffic(shape, n, seed, **times):
    """Calls every ten seconds on average; `times`: what is multiplied after the first 2,000."""
    rng = random.Random(seed)
    at = FIRST.at
    for number in range(n):
        factor = times if number >= 2000 else {}
        tokens = SHAPES[shape](rng) * factor.get("tokens", 1)
        at += rng.expovariate(0.1) / factor.get("rate", 1)
        yield Call(
            "ns",
            "agent",
            "m",
            at,
            int(at / 3600) % 24,
            tokens=tokens,
            usd=tokens * 3e-6 * factor.get("usd", 1),
            ms=(500 + tokens / 2) * math.exp(rng.gauss(0, 0.4)) * factor.get("ms", 1),
            failed=rng.random() < 0.02 * factor.get("failed", 1),
            tools=("read", "write"),
        )


def test_traffic_that_does_not_change_raises_one_alarm_in_ten_thousand_calls_at_most():
    alarms = 0
    for shape in SHAPES:
        unusual = Unusual()
        alarms += sum(len(unusual.judge(call)) for call in traffic(shape, 10_000, 1))
    assert alarms <= len(SHAPES)


@pytest.mark.parametrize("shape", ["steady", "narrow", "wide"])
@pytest.mark.parametrize(
    ("aspect", "factor", "word"),
    [
        ("tokens", 5, "tokens"),
        ("usd", 5, "cost"),
        ("ms", 5, "Answers"),
        ("rate", 5, "fast"),
        ("failed", 45, "fail"),
    ],
)
def test_a_change_to_the_fivefold_is_seen_within_twenty_calls(shape, aspect, factor, word):
    seen = 0
    for seed in range(10):
        unusual = Unusual()
        said = []
        for number, call in enumerate(traffic(shape, 2020, 100 + seed, **{aspect: factor})):
            found = unusual.judge(call)
            said += [finding.said for finding in found if number >= 2000]
        seen += any(word in one for one in said)
    assert seen >= 9


def test_nothing_is_said_while_little_is_known():
    unusual = Unusual()
    rng = random.Random(1)
    for number in range(49):
        call = replace(FIRST, at=FIRST.at + number, tokens=rng.choice([1, 1e6]), failed=True)
        assert unusual.judge(call) == []


def test_one_call_that_costs_a_hundred_times_as_much_is_told_at_once():
    unusual = Unusual()
    for call in traffic("narrow", 300, 1):
        unusual.judge(call)
    last = replace(call, at=call.at + 10, usd=3.0)
    assert [finding.said for finding in unusual.judge(last) if "cost" in finding.said]


def test_an_agent_that_repeats_itself_is_told_of_once_and_again_when_it_goes_on():
    unusual = Unusual()
    told = []
    for number in range(12):
        call = replace(FIRST, at=FIRST.at + number, session="s", tool_calls=(("bash", 42),))
        told += [(number, finding.said) for finding in unusual.judge(call)]
    assert told == [
        (4, "bash was called 5 times with the same arguments."),
        (9, "bash was called 10 times with the same arguments."),
    ]


def test_an_agent_that_does_something_else_each_time_is_no_loop():
    unusual = Unusual()
    for number in range(100):
        call = replace(FIRST, at=FIRST.at + number, tool_calls=(("bash", number),))
        assert unusual.judge(call) == []


def test_sessions_do_not_share_a_loop():
    unusual = Unusual()
    for number in range(20):
        call = replace(FIRST, session=f"s{number}", tool_calls=(("bash", 42),))
        assert unusual.judge(call) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tools": ("rm",)}, "The tool rm was never seen before"),
        ({"model": "other"}, "The model other was never seen before"),
        ({"hosts": ("new.example",)}, "The host new.example was never seen before"),
        ({"hour": 3}, "There were never calls at 3 o'clock before"),
    ],
)
def test_what_is_new_is_told_once(change, said):
    unusual = Unusual()
    for number in range(1500):
        at = FIRST.at + 10 * number
        unusual.judge(replace(FIRST, at=at, tools=("ls",), hosts=("a.example",), hour=9))
    odd = replace(FIRST, at=at + 10, **change)
    assert any(finding.said.startswith(said) for finding in unusual.judge(odd))
    again = replace(FIRST, at=at + 20, **change)
    assert not any(finding.said.startswith(said) for finding in unusual.judge(again))


def test_what_is_known_survives_a_restart():
    first, second = Unusual(), Unusual()
    for call in traffic("narrow", 500, 1):
        first.judge(call)
    second.load(first.dumped())
    for call in traffic("narrow", 600, 2):
        assert first.judge(call) == second.judge(call)
    assert first.dumped() == second.dumped()


def test_it_stays_small():
    unusual = Unusual(most=100, most_sessions=50)
    for number in range(1000):
        name = f"n{number}"
        unusual.judge(replace(FIRST, namespace=name, session=name, tool_calls=(("x", 1),)))
    assert len(unusual.dumped()) < 100_000


NUMBER = st.none() | st.floats() | st.integers(-(10**12), 10**12)


@given(st.lists(st.tuples(NUMBER, NUMBER, st.floats(allow_nan=False), st.integers()), max_size=90))
def test_odd_numbers_never_make_it_raise(rows):
    unusual = Unusual()
    for tokens, usd, at, hour in rows:
        call = replace(FIRST, at=at, hour=hour, tokens=tokens, usd=usd, ms=tokens)
        for finding in unusual.judge(call):
            assert 0 <= finding.score <= 1
    Unusual().load(unusual.dumped())
