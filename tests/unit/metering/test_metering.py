"""What calls may take, what they took, and what the limits are told of it."""

import asyncio
import json
from typing import Any

import pytest

from llmproxy_core.config import Config, LimitConfig, PriceConfig
from llmproxy_core.home import Home
from llmproxy_core.limits import Refusal
from llmproxy_core.metering import levels
from llmproxy_core.metering import metering as module
from llmproxy_core.metering.metering import About, Metering, Reserved
from llmproxy_core.metering.usage import Answered

ABOUT = About("team", "fp_0123456789ab", "anna", "openai", "openai.chat", "/v1/chat/completions")
TOKENS = {"tokens_per_minute": 10_000}
PRICE = PriceConfig(model="*", input=1000, output=2000)  # type: ignore[arg-type]
told: list[str] = []


def metering(tmp_path, *limits: dict[str, Any]) -> Metering:
    told.clear()
    tables = [LimitConfig(name=f"l{n}", **one) for n, one in enumerate(limits)]
    return Metering(Config(limits=tables, prices=[PRICE]), Home(tmp_path), told.append)


def body(model="gpt-5", **more):
    return lambda: json.dumps({"model": model, **more}).encode()


def answered(read=100, written=50, status=200, wire=ABOUT.wire, text="", **more):
    usage = {"prompt_tokens": read, "completion_tokens": written} if read else None
    message = {"role": "assistant", "content": text}
    whole = json.dumps({"choices": [{"index": 0, "message": message}], "usage": usage, **more})
    told = [("content-type", "application/json")]
    return Answered(wire, ABOUT.path, status, told, [whole.encode()])


async def asked(meter: Metering, about=ABOUT, **more) -> Reserved:
    found = await meter.ask(about, more.pop("body", body(max_tokens=1000)), **more)
    assert isinstance(found, Reserved)
    return found


async def used(meter: Metering, kind="tokens") -> float:
    await asyncio.gather(*meter.under_way)
    await meter._look()
    return next(one.used for one in levels.read(meter._levels._home) or [] if one.kind == kind)


async def test_without_limits_nothing_is_asked(tmp_path):
    assert not metering(tmp_path).active


async def test_a_body_is_only_read_where_it_matters(tmp_path):
    meter = metering(tmp_path, {"requests_per_minute": 60})
    assert isinstance(await meter.ask(ABOUT, lambda: pytest.fail("read")), Reserved)


async def test_a_body_is_not_read_for_limits_of_others(tmp_path):
    meter = metering(tmp_path, TOKENS | {"match": {"namespace": "other", "model": "gpt-*"}})
    assert isinstance(await meter.ask(ABOUT, lambda: pytest.fail("read")), Reserved)


async def test_a_call_takes_what_its_answer_tells(tmp_path):
    meter = metering(tmp_path, TOKENS)
    reserved = await asked(meter)
    assert await used(meter) >= 1000
    meter.settle(reserved, answered())
    assert await used(meter) == 150


async def test_a_call_costs_what_its_tokens_cost(tmp_path):
    meter = metering(tmp_path, {"usd_per_day": 10})
    meter.settle(await asked(meter), answered())
    assert await used(meter, "usd") == pytest.approx(100 * 0.001 + 50 * 0.002)


async def test_a_long_answer_is_read_beside_the_loop(tmp_path, monkeypatch):
    meter = metering(tmp_path, TOKENS)
    monkeypatch.setattr(module, "AT_ONCE", 10)
    meter.settle(await asked(meter), answered())
    assert len(meter.under_way) == 1
    assert await used(meter) == 150
    assert not meter.under_way


async def test_what_the_provider_does_not_tell_is_estimated(tmp_path):
    meter = metering(tmp_path, TOKENS)
    meter.settle(await asked(meter), answered(read=0, text="four words are here " * 100))
    assert 400 < await used(meter) < 700


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_an_error_takes_nothing(tmp_path, status):
    meter = metering(tmp_path, TOKENS)
    meter.settle(await asked(meter), answered(status=status))
    assert await used(meter) == 0


async def test_what_nobody_knows_counts_as_it_was_set_aside(tmp_path):
    meter = metering(tmp_path, TOKENS)
    reserved = await asked(meter)
    before = await used(meter)
    meter.settle(reserved, None)
    assert await used(meter) == before > 1000


async def test_an_answer_that_cannot_be_read_counts_as_it_was_set_aside(tmp_path, monkeypatch):
    def broken(_: object) -> None:
        raise RuntimeError("cannot be read")

    meter = metering(tmp_path, TOKENS)
    monkeypatch.setattr(module, "taken", broken)
    reserved = await asked(meter)
    before = await used(meter)
    meter.settle(reserved, answered())
    assert await used(meter) == before
    meter._tell_problems()
    assert told == ["limits: what a call took cannot be read: RuntimeError('cannot be read')"]


async def test_what_was_not_sent_is_given_back(tmp_path):
    meter = metering(tmp_path, {"requests_per_minute": 60, "burst": 1}, TOKENS)
    meter.release(await asked(meter))
    assert await used(meter) == 0
    await asked(meter)


async def test_what_a_model_writes_is_learned(tmp_path):
    meter = metering(tmp_path, TOKENS)
    for _ in range(30):
        meter.settle(await asked(meter, body=body()), answered(written=10))
    before = await used(meter)
    await asked(meter, body=body())
    assert await used(meter) - before < 100, "and not the thousands of a model nobody knows"


async def test_counting_tokens_and_moderation_take_none(tmp_path):
    meter = metering(tmp_path, TOKENS)
    for wire in ("anthropic.count_tokens", "openai.moderations"):
        reserved = await asked(meter, ABOUT._replace(wire=wire))
        meter.settle(reserved, answered(wire=wire))
    assert await used(meter) == 0


async def test_embeddings_set_nothing_aside_for_an_answer(tmp_path):
    meter = metering(tmp_path, TOKENS)
    await asked(meter, ABOUT._replace(wire="openai.embeddings"), body=body(input="word " * 400))
    assert 400 < await used(meter) < 600


async def test_a_body_that_is_not_read_counts_as_pictures(tmp_path):
    meter = metering(tmp_path, TOKENS)
    about = ABOUT._replace(wire="openai.embeddings")
    await asked(meter, about, body=lambda: b"", unread_bytes=4 * 2**20)
    assert await used(meter) == 4 * 1600


async def test_a_price_list_that_fails_makes_prices_unknown(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("no list")

    monkeypatch.setattr(module, "rates", broken)
    meter = metering(tmp_path, {"usd_per_day": 10, "unpriced": "refuse"})
    assert isinstance(await meter.ask(ABOUT, body()), Refusal)
    meter._tell_problems()
    assert "the price of gpt-5 at openai cannot be found" in told[0]


async def test_a_turn_that_nobody_asked_for_is_counted_even_over_the_limit(tmp_path):
    meter = metering(tmp_path, {"tokens_per_minute": 100})
    for _ in range(3):
        meter.count(ABOUT, "gpt-realtime", answered())
    assert await used(meter) == 450
    assert isinstance(await meter.ask(ABOUT, body(max_tokens=1)), Refusal)


async def test_limits_per_model_know_the_model_of_the_body(tmp_path):
    meter = metering(tmp_path, {"requests_per_minute": 1, "burst": 1, "per": ["model"]})
    found = [await meter.ask(ABOUT, body(model)) for model in ("a", "b", "a")]
    assert [isinstance(one, Refusal) for one in found] == [False, False, True]
