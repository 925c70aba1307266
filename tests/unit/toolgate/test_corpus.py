"""Every recorded answer with calls of tools, through the gate."""

import random
from functools import cache

import pytest

from llmproxy_core.model import Headers, Response
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.toolgate.formats import FORMATS
from tests.unit.namespace.round_trip import cut
from tests.unit.providers.corpus import (
    Exchange,
    body,
    exchanges,
    headers,
    needs_corpus,
    path_of,
    wire_of,
)
from tests.unit.toolgate.gated import NO, denied, read, released, through

pytestmark = needs_corpus

ENDED = {"tool_calls": "stop", "function_call": "stop", "tool_use": "end_turn", "TOOL_CALL": "COMPLETE"}  # fmt: skip


@cache
def answered() -> list[tuple[Exchange, Headers, bytes, Response]]:
    """Answers of formats with calls, without their content codings."""
    found = []
    for one in exchanges():
        wire = wire_of(one)
        if wire in FORMATS and one["status"] == 200:
            told = headers(one, "response")
            data, problem = decode_body(told, body(one, "response"))
            told = [pair for pair in told if pair[0].lower() != "content-encoding"]
            if problem is None and data:
                found.append((one, told, data, read(wire, told, data, path_of(one))))
    assert len(found) > 2000
    return found


def calling() -> list[tuple[Exchange, Headers, bytes, Response]]:
    found = [one for one in answered() if one[3].tool_calls]
    assert len(found) > 500
    return found


def test_what_may_go_on_is_the_same_byte_for_byte():
    random.seed(1)
    for one, told, data, _ in answered():
        places = random.sample(range(len(data)), min(len(data), 20))
        for pieces in ([data], cut(data, places)):
            assert through(wire_of(one), told, pieces, released) == data, one["id"]


def test_calls_that_are_denied_are_gone_and_a_text_says_why():
    for one, told, data, before in calling():
        wire = wire_of(one)
        asked: list[tuple[str, str]] = []

        def judge(call, asked=asked):
            asked.append((call.name, call.arguments))
            return NO

        ours = through(wire, told, [data], judge)
        after = read(wire, told, ours, path_of(one))
        assert after.tool_calls == [], one["id"]
        assert NO in after.text, one["id"]
        assert after.text.startswith(before.text), one["id"]
        assert after.usage == before.usage, one["id"]
        assert after.unknown_events == before.unknown_events, one["id"]
        assert (after.error, after.incomplete) == (before.error, before.incomplete), one["id"]
        assert after.reasoning == before.reasoning, one["id"]
        wanted = [ENDED.get(reason, reason) for reason in before.finish_reasons]
        assert after.finish_reasons == wanted, one["id"]
        for call in before.tool_calls:
            assert (call.name, call.arguments) in asked, (one["id"], asked)


def test_what_is_denied_does_not_depend_on_the_cuts():
    random.seed(2)
    for one, told, data, _ in calling():
        wire = wire_of(one)
        whole = through(wire, told, [data], denied)
        places = random.sample(range(len(data)), min(len(data), 20))
        assert through(wire, told, cut(data, places), denied) == whole, one["id"]


def test_some_of_several_calls_may_go_on():
    several = [one for one in calling() if len(one[3].tool_calls) > 1]
    assert len(several) > 20
    for one, told, data, before in several:
        wire = wire_of(one)
        names: list[str] = []

        def judge(call, names=names):
            names.append(call.name)
            return NO if len(names) == 1 else ""

        after = read(wire, told, through(wire, told, [data], judge), path_of(one))
        assert after.tool_calls == before.tool_calls[1:], one["id"]
        assert after.finish_reasons == before.finish_reasons, one["id"]


@pytest.mark.soak
def test_any_cut_gives_the_same():
    random.seed(3)
    for one, told, data, _ in calling():
        wire = wire_of(one)
        whole = through(wire, told, [data], denied)
        every = range(1, len(data))
        for place in every if len(data) < 5000 else random.sample(every, 500):
            assert through(wire, told, cut(data, [place]), denied) == whole, (one["id"], place)
