"""How often the simulated model fails, and that other words help."""

import json
from collections import Counter

import pytest

from llmproxy_core.simulator.answering import answer
from llmproxy_core.simulator.contents import Contents
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.quality import BASE, HARMED, HARMS, REFUSAL, WEAKNESSES, fault_of
from llmproxy_core.simulator.routes import format_for
from llmproxy_core.simulator.routines import (
    DOSES,
    INCIDENTS,
    ORDERS,
    ROUTINES,
    TRIAGE,
    Routine,
    calls,
)

WANTED = Controls(quality=True)
CALLS = 400
WEAK = (TRIAGE, DOSES, INCIDENTS, ORDERS)


def asked(call, system=""):
    path = call.url.partition("://")[2].partition("/")[2]
    body = dict(call.body)
    if system and "/messages" in call.url:
        body["system"] = system
    elif system:
        body["messages"] = [{"role": "system", "content": system}, *body["messages"]]
    raw = json.dumps(body).encode()
    form = format_for(f"/{path}", "")
    assert form is not None
    return form.read(body, f"/{path}"), raw


def share(routine: Routine, system: str = "") -> float:
    """Of the answers that have a fault."""
    contents = Contents(1)
    faults = [fault_of(*asked(routine.call(contents), system)) for _ in range(CALLS)]
    return sum(fault is not None for fault in faults) / CALLS


@pytest.mark.parametrize("routine", WEAK, ids=lambda one: one.name)
def test_badly_worded_prompts_fail_as_often_as_is_documented(routine):
    weakness = next(one for one in WEAKNESSES if one.name == routine.weakness)
    assert share(routine) == pytest.approx(weakness.rate, abs=0.08)
    assert share(routine, weakness.cures[0]) == pytest.approx(weakness.cured, abs=0.03)


@pytest.mark.parametrize("harm", HARMS)
def test_words_that_harm_do_harm(harm):
    assert share(TRIAGE, harm) == pytest.approx(HARMED, abs=0.06)


def test_other_prompts_fail_seldom():
    good = [one for one in ROUTINES if not one.weakness]
    assert sum(share(one) for one in good[::8]) / len(good[::8]) == pytest.approx(BASE, abs=0.02)


def test_three_of_four_advices_help_and_one_harms():
    rates = {}
    for routine in WEAK:
        weakness = next(one for one in WEAKNESSES if one.name == routine.weakness)
        rates[routine.name] = share(routine, weakness.advice)
    helped = [name for name, rate in rates.items() if rate < 0.05]
    assert len(helped) == 3
    assert rates["order-finder"] > 0.8


def replies(routine):
    contents = Contents(2)
    for _ in range(CALLS):
        ask, raw = asked(routine.call(contents))
        yield fault_of(ask, raw), answer(ask, raw, WANTED)


def test_faulty_json_cannot_be_read_and_good_json_can():
    for fault, reply in replies(TRIAGE):
        if fault is None:
            assert "answer" in json.loads("".join(reply.text))
        else:
            with pytest.raises(ValueError, match=r"."):
                json.loads("".join(reply.text))


def test_a_long_answer_ends_at_the_limit_of_tokens():
    endings = Counter((fault, reply.ending) for fault, reply in replies(INCIDENTS))
    assert endings["rambles", "length"] > 200
    assert not endings[None, "length"]


def test_a_wrong_call_breaks_the_schema_of_the_tool():
    for fault, reply in replies(ORDERS):
        if fault == "wrong_call":
            assert "order" not in json.loads(reply.tools[0].arguments)
        elif fault is None:
            assert "order" in json.loads(reply.tools[0].arguments)


def test_who_refuses_calls_no_tool():
    contents = Contents(4)
    for _ in range(20):
        ask, raw = asked(ORDERS.call(contents), HARMS[0])
        if fault_of(ask, raw) == "refused":
            reply = answer(ask, raw, WANTED)
            assert not reply.tools
            assert "".join(reply.text) == REFUSAL


def test_without_quality_nothing_is_faulty():
    ask, raw = asked(next(calls(1)))
    plain = {answer(ask, raw, Controls()).ending, *"".join(answer(ask, raw, Controls()).text)[:1]}
    assert plain == {"stop", "{"}


def test_there_are_fifty_routines_of_different_names():
    assert len({one.name for one in ROUTINES}) == len(ROUTINES) == 50


def test_the_same_seed_makes_the_same_calls():
    assert [*calls(60, 3)] == [*calls(60, 3)]
    assert [*calls(60, 3)] != [*calls(60, 4)]
