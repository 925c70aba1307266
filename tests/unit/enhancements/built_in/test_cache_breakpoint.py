from datetime import timedelta

import pytest

from llmproxy_core.enhancements.built_in.cache_breakpoint import LEAST_CALLS, suggest
from llmproxy_core.enhancements.built_in.cache_replay import replayed
from llmproxy_core.enhancements.built_in.cache_terms import terms
from llmproxy_core.model import Usage
from tests.unit.enhancements.made import START, call, calls, evidence

IN, READ, WRITE, OUT = 3e-6, 0.3e-6, 3.75e-6, 15e-6
"""USD per token of Claude Sonnet 4.5."""


def test_a_long_prefix_that_repeats_within_five_minutes_wants_a_mark():
    (one,) = suggest(evidence(calls(100)))

    assert one.edit == ({"op": "cache_breakpoint", "at": "system"},)
    assert (one.type, one.aim) == ("structure", "cost")
    assert one.confidence > 0.8
    assert "about 2500 tokens" in one.reasoning


def test_the_saving_is_what_the_price_list_says():
    (one,) = suggest(evidence(calls(100), days=2.0, total=200))

    # one write, 99 reads; the sample is half of the calls, of two days
    saved = 99 * 2500 * (IN - READ) - 2500 * (WRITE - IN)
    assert one.saving_usd_per_day == pytest.approx(saved * 2 / 2, rel=1e-4)


def test_a_prefix_that_comes_back_too_late_is_left_alone():
    assert suggest(evidence(calls(100, seconds=301))) == []
    assert suggest(evidence(calls(100, seconds=299))) != []


def test_calls_at_the_same_moment_read_nothing_of_one_another():
    observed = tuple(call(n, 0.01) for n in range(100))

    found = replayed(evidence(observed), observed, follow=False)

    assert found.after > found.before


def test_another_key_has_another_cache():
    alone = tuple(call(n, 10, owner=f"key-{n}") for n in range(100))

    assert suggest(evidence(alone)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"breakpoints": 1},
        {"usage": Usage(3000, 200, cached_tokens=2000)},
        {"wire": "openai.chat", "provider": "openai", "model": "gpt-4o"},
        {"prefix_tokens": 1100},
        {"prefix": ""},
        {"editable": False},
        {"has_system": False},
        {"model": "claude-opus-4-5"},
        {"model": "nobody-knows-what-it-costs", "prefix_tokens": 9000},
        {"usage": Usage()},
    ],
    ids=str,
)
def test_nothing_is_suggested_where_a_mark_is_there_or_would_not_help(fields):
    assert suggest(evidence(calls(100, **fields))) == []


def test_little_traffic_is_no_reason():
    assert suggest(evidence(calls(LEAST_CALLS - 1))) == []


def test_tools_are_marked_where_there_is_no_system_prompt():
    (one,) = suggest(evidence(calls(100, has_system=False, declared=("search",))))

    assert one.edit == ({"op": "cache_breakpoint", "at": "tools"},)


def test_long_conversations_get_a_second_mark_on_the_last_message():
    observed = tuple(
        call(
            number,
            30,
            conversation=f"c{number // 20}",
            turn=number % 20,
            usage=Usage(3000 + 2000 * (number % 20), 300),
        )
        for number in range(200)
    )

    (one,) = suggest(evidence(observed))

    assert [operation["at"] for operation in one.edit] == ["system", -1]


def test_a_last_message_that_nobody_reads_again_is_not_marked():
    (one,) = suggest(evidence(calls(100, usage=Usage(9000, 10))))

    assert [operation["at"] for operation in one.edit] == ["system"]


def test_each_use_keeps_the_prefix_for_another_five_minutes():
    observed = tuple(call(n, 240) for n in range(10))

    found = replayed(evidence(observed), observed, follow=False)

    saved = 9 * 2500 * (IN - READ) - 2500 * (WRITE - IN)
    assert float(found.before - found.after) == pytest.approx(saved)


def test_the_order_of_the_rows_does_not_matter():
    observed = calls(60)

    assert suggest(evidence(observed[::-1])) == suggest(evidence(observed))


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-sonnet-4-5-20250929", 1024),
        ("anthropic.claude-sonnet-4-20250514-v1:0", 1024),
        ("claude-sonnet-4-6", 2048),
        ("claude-sonnet-9", 4096),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 1024),
        ("claude-opus-4-1-20250805", 1024),
        ("claude-opus-4-20250514", 1024),
        ("claude-opus-4-5-20251101", 4096),
        ("claude-haiku-4-5", 4096),
        ("claude-3-5-haiku-20241022", 2048),
        ("us.amazon.nova-pro-v1:0", 1000),
        ("something-new", 4096),
    ],
)
def test_models_want_prefixes_of_their_own_length(model, minimum):
    assert terms(model).minimum == minimum


def test_a_model_that_caches_no_tools_gets_no_mark_there():
    observed = calls(100, model="amazon.nova-pro-v1:0", provider="bedrock")
    plain = [suggest(evidence(tuple(one for one in observed)))]
    tools = calls(
        100, model="amazon.nova-pro-v1:0", provider="bedrock", has_system=False, declared=("t",)
    )

    assert plain
    assert suggest(evidence(tools)) == []


def test_times_without_a_zone_are_utc():
    observed = tuple(
        call(n, at=(START + timedelta(seconds=60 * n)).replace(tzinfo=None)) for n in range(40)
    )

    assert suggest(evidence(observed)) != []
