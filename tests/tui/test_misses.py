"""Which calls may have missed a prompt cache, and how that is told."""

from decimal import Decimal

import pytest

from llmproxy_core.conversations.cache import Change, Miss
from llmproxy_core.tui.misses import Misses, explanation, suspicious
from tests.tui.family import id_of, missed, node

FULL = {"input_tokens": 10_000, "cached_tokens": 9_900, "cache_write_tokens": 50}
MISSED = {"input_tokens": 11_000, "cached_tokens": 0, "cache_write_tokens": 11_000}


def by_id(*nodes):
    return {one.id: one for one in nodes}


def test_a_call_that_reads_what_was_cached_is_not_looked_at():
    before, after = node(0, **FULL), node(1, 0, **FULL)
    assert not suspicious(after, by_id(before, after))


def test_a_call_that_reads_nothing_of_it_is():
    before, after = node(0, **FULL), node(1, 0, **MISSED)
    assert suspicious(after, by_id(before, after))


@pytest.mark.parametrize("relation", ["root", "subagent", "compaction"])
def test_what_begins_anew_is_not(relation):
    before, after = node(0, **FULL), node(1, 0, relation=relation, **MISSED)
    assert not suspicious(after, by_id(before, after))


def test_the_last_answer_counts_where_a_call_before_failed():
    before, failed = node(0, **FULL), node(1, 0, input_tokens=None, cached_tokens=None)
    after = node(2, 1, **MISSED)
    assert suspicious(after, by_id(before, failed, after))


def test_without_a_cache_none_is_missed():
    usage = {"input_tokens": 500, "cached_tokens": 0, "cache_write_tokens": 0}
    before, after = node(0, **usage), node(1, 0, **usage)
    assert not suspicious(after, by_id(before, after))


def test_each_call_is_looked_at_once_the_newest_first():
    nodes = [node(0, **FULL), node(1, 0, **MISSED), node(2, 0, **MISSED)]
    misses = Misses()
    assert misses.unknown(nodes) == [id_of(2), id_of(1)]
    misses.found = {id_of(2): None}
    assert misses.unknown(nodes) == [id_of(1)]


def test_the_sums_tell_what_was_lost_and_what_it_cost():
    misses = Misses()
    misses.found = {id_of(7): missed(), id_of(8): None}
    assert misses.cost() == (1, Decimal("0.1428"))
    assert misses.lost([node(7), node(8), node(9)]) == 9_900


def test_an_explanation_says_what_changed_whose_doing_it_was_and_what_it_cost():
    assert explanation(missed()) == (
        "9,900 of 9,900 cached tokens were not read: the client changed the tool Bash. "
        'It cost $0.1428 more. Before: "description":"Runs it" | now: "description":"Runs a command"'
    )


def test_an_explanation_by_time_quotes_no_change():
    late = Miss("time", 9_900, 0, Change("message 3", "a", "b"), 7200.0, 300, None)
    assert explanation(late) == (
        "9,900 of 9,900 cached tokens were not read: "
        "7,200 s had passed, and the cache holds for 300 s."
    )
