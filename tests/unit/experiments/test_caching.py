from decimal import Decimal

import pytest

from llmproxy_core.experiments.caching import CacheAccount, Turn, predicted
from llmproxy_core.model import Usage


def anthropic(read: int, written: int, total: int) -> Usage:
    return Usage(input_tokens=total, cached_tokens=read, cache_write_tokens=written)


def openai(read: int, total: int) -> Usage:
    return Usage(input_tokens=total, cached_tokens=read)


def test_a_turn_reads_what_the_one_before_it_read_and_wrote():
    turn = Turn(anthropic(5000, 300, 5400), anthropic(4600, 400, 5100), "anthropic")

    assert predicted(turn) == 5000


def test_providers_that_cache_by_themselves_do_so_in_steps():
    assert predicted(Turn(openai(0, 3000), openai(0, 2000), "openai")) == 1920
    assert predicted(Turn(openai(0, 3000), openai(0, 900), "openai")) == 0
    assert predicted(Turn(openai(0, 3000), openai(0, 2000), "mistral")) == 0


def test_the_first_turn_reads_nothing():
    assert predicted(Turn(openai(0, 3000), None, "openai")) == 0


@pytest.mark.parametrize(("kept", "tokens"), [(1.0, 3968), (0.5, 1920), (0.2, 0), (0.0, 0)])
def test_an_edit_that_was_not_there_before_leaves_what_stands_before_it(kept, tokens):
    assert predicted(Turn(openai(0, 4100), openai(0, 4000), "openai", kept)) == tokens


def test_a_20_turn_conversation_with_the_same_edit_on_every_turn_keeps_its_cache():
    account, before = CacheAccount(), None
    for number in range(20):
        total = 2000 + 300 * number
        usage = openai((total - 300) // 128 * 128 if before else 0, total)
        assert account.add(Turn(usage, before, "openai")) == "read"
        before = usage

    assert account.kept == account.accuracy == 1.0
    assert account.missed == 0


def test_a_change_that_breaks_the_cache_is_told_with_its_cost():
    account = CacheAccount()
    told = account.add(Turn(openai(0, 4100), openai(0, 4000), "openai"))

    assert told == "missed"
    assert account.kept == 0.0
    assert account.lost_usd(Decimal("0.000002"), Decimal("0.0000002")) == Decimal("0.0071424")


def test_usage_that_tells_no_cached_tokens_is_not_counted():
    account = CacheAccount()

    assert account.add(Turn(Usage(input_tokens=4000), openai(0, 4000), "openai")) == "untold"
    assert account.to_json()["untold"] == 1
    assert account.kept is None
