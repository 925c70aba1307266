import base64
import json
import os
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.config import PriceConfig
from llmproxy_core.limits.estimate import COLD, PICTURE, Estimator, tokens_allowed, tokens_read
from llmproxy_core.pricing import OwnPrices
from llmproxy_core.pricing.rates import rates


def body(**fields) -> bytes:
    return json.dumps({"model": "m", **fields}).encode()


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens"],
)
def test_what_a_request_allows_is_found_by_any_of_its_names(name):
    assert tokens_allowed(body(messages=[], **{name: 700})) == 700
    assert tokens_allowed(body(inferenceConfig={name: 700}, x="y" * 9999)) == 700


@pytest.mark.parametrize("before", [0, 3000, 100_000, 900_000])
@pytest.mark.parametrize("after", [0, 60_000, 300_000])
def test_what_a_request_allows_is_found_wherever_it_stands(before, after):
    messages = [{"role": "user", "content": "so many words " * (before // 14)}]
    tools = [{"description": "more of them " * (after // 13)}]

    assert tokens_allowed(body(messages=messages, max_tokens=77, tools=tools)) == 77
    assert tokens_read(body(messages=messages, tools=tools)) >= (before + after) // 4 - 20


def test_ollamas_name_for_it_is_known():
    assert tokens_allowed(body(options={"num_predict": 5})) == 5


@pytest.mark.parametrize("number", [b"1e5", b"1E+5", b"100000.0", b"10.00e4"])
def test_a_whole_number_is_known_in_any_spelling(number):
    assert tokens_allowed(b'{"max_tokens": %b, "messages": []}' % number) == 100_000


@given(st.text())
def test_nothing_that_stands_in_a_text_is_taken_for_it(text):
    said = text + '"max_tokens": 5, {"max_tokens":6}'
    assert tokens_allowed(body(messages=[{"role": "user", "content": said}])) is None


@pytest.mark.parametrize("value", [None, -1, 1.5, "9", True, {"type": "integer"}])
def test_what_is_no_number_of_tokens_allows_nothing(value):
    assert tokens_allowed(body(max_tokens=value)) is None


def test_pictures_do_not_count_by_their_bytes():
    picture = base64.b64encode(os.urandom(300_000)).decode()
    url = body(messages=[{"image_url": f"data:image/png;base64,{picture}"}])
    source = body(messages=[{"source": {"data": picture}}, {"source": {"data": picture}}])

    assert PICTURE <= tokens_read(url) <= PICTURE + 50
    assert 2 * PICTURE <= tokens_read(source) <= 2 * PICTURE + 50


def test_a_long_text_in_a_field_of_that_name_counts_as_text():
    assert tokens_read(body(data="some words " * 10_000)) > 25_000


@given(st.binary(max_size=200_000))
def test_any_bytes_have_a_number_of_tokens(data):
    assert 0 <= tokens_read(data) <= len(data) // 4 + PICTURE * (len(data) // 4096)
    tokens_allowed(data)


def test_calls_that_have_nothing_written_cost_what_is_read():
    estimator = Estimator(lambda provider, model: (1e-6, 2e-6))

    assert estimator.estimate("openai", "m", b"x" * 4000, writes=False) == (1000, 1e-3)


def test_a_model_that_writes_little_is_soon_expected_to():
    estimator = Estimator(lambda provider, model: (1e-6, 2e-6))
    assert estimator.amount("openai", "m", 1000) == (1000 + COLD, 1e-3 + 2e-6 * COLD)

    for _ in range(60):
        estimator.learn("openai", "m", 200)

    assert 200 <= estimator.usual("openai", "m") <= 210


def test_nine_of_ten_calls_write_no_more_than_was_expected():
    estimator = Estimator(lambda provider, model: None)
    over = 0
    for number in range(2000):
        written = 100 + number * 7919 % 800
        over += written > estimator.usual("p", "m")
        estimator.learn("p", "m", written)

    assert over < 200


def test_an_unknown_price_is_no_price_of_nothing():
    estimator = Estimator(rates)

    assert estimator.amount("gateway", "llama", 10).usd is None
    assert estimator.amount("ollama", "llama", 10).usd == 0


def test_prices_are_those_of_the_list_at_their_dearest_tier():
    assert rates("openai", "gpt-4o") == pytest.approx((2.5e-6, 1e-5))
    read, written = rates("gemini", "gemini-2.5-pro") or (0, 0)
    assert (read, written) == pytest.approx((2.5e-6, 15e-6))


def test_a_price_of_ones_own_comes_first():
    mine = OwnPrices([PriceConfig(model="gpt-*", input=Decimal(3), output=Decimal(6))])

    assert rates("openai", "gpt-4o", mine) == pytest.approx((3e-6, 6e-6))


@pytest.mark.parametrize("name", ["n", "best_of", "candidateCount", "num_generations"])
def test_each_of_several_answers_may_be_as_long_as_is_allowed(name):
    estimator = Estimator(lambda provider, model: (0.0, 1.0))
    one = estimator.estimate("openai", "m", b'{"max_tokens": 100}')
    many = estimator.estimate("openai", "m", b'{"max_tokens": 100, "%b": 8}' % name.encode())
    usual = estimator.estimate("openai", "m", b'{"%b": 8}' % name.encode())
    assert (one.usd, many.usd) == (100.0, 800.0)
    assert usual.usd == 8 * estimator.usual("openai", "m")
