"""How much of a text that comes in pieces is settled."""

import re
from collections import Counter
from unittest import mock

from llmproxy_core.masking import channel as channel_module
from llmproxy_core.masking.channel import LIMIT, TAIL, Channel, Found, Known
from llmproxy_core.masking.masker import Secret


def keys(text: str, final: bool) -> list[Found]:
    """A stand-in for detectors: what begins with `KEY`."""
    return [Found(one.start(), one.end(), "secret:key") for one in re.finditer(r"KEY\w{4,}", text)]


def channel(*pieces: str, final: bool = False) -> Channel:
    made = Channel(keys)
    for piece in pieces:
        made.add(piece)
        made.settle()
    if final:
        made.settle(final=True)
    return made


def test_all_before_the_last_word_is_settled():
    assert channel("one two thr").settled == len("one two ")
    assert channel("one two thr", "ee ").settled == len("one two three ")


def test_a_quote_ends_a_word_too():
    assert channel('a="b').settled == len('a="')


def test_the_end_settles_the_last_word():
    assert channel("one", final=True).settled == 3


def test_a_secret_in_two_pieces_is_masked_once_it_has_ended():
    made = channel("see KEY12", "34 now")
    assert [(one.start, one.end, one.value) for one in made.masks] == [(4, 11, "KEY1234")]


def test_a_run_without_an_end_is_cut_at_other_signs():
    made = channel("x," * LIMIT)
    assert made.settled == 2 * LIMIT


def test_of_a_run_that_is_no_secret_a_tail_is_kept_back():
    assert channel("x" * (LIMIT + 1)).settled == LIMIT + 1 - TAIL


def test_a_run_that_begins_as_a_secret_is_masked_to_its_end():
    made = channel("KEY" + "x" * LIMIT, "more", "yet more", " and words ")
    assert made.masks[0].end == LIMIT + 3
    assert made.masks[-1].end == LIMIT + 3 + len("moreyet")
    assert [one.label for one in made.masks] == ["secret:key", "", ""]


def test_a_known_secret_with_blanks_in_it_is_waited_for():
    made = Channel(keys, Known([Secret("secret:x", "open sesame now")]))
    made.add("say open ses")
    made.settle()
    assert made.settled == len("say ")


def test_a_value_with_blanks_that_has_begun_is_waited_for():
    made = channel("define('AUTH_KEY',   'a b c")
    assert made.settled == len("define('AUTH_KEY',   '")


def test_a_long_run_in_small_pieces_costs_no_more_than_its_length():
    looked = Counter[int]()
    for size in (1000, 4000):
        made = Channel(keys)
        with mock.patch.object(channel_module, "ENDS", wraps=channel_module.ENDS) as ends:
            for _ in range(size):
                made.add("x")
                made.settle()
            looked[size] = ends.match.call_count
    assert looked[4000] <= 4.5 * looked[1000]
