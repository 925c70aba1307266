import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from llmproxy_core.model import Json, Usage
from llmproxy_core.pricing import price
from llmproxy_core.pricing.catalogue import spellings

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLAIN = Usage(input_tokens=1000, output_tokens=100)

LISTED = [
    ("openai", "gpt-4o", "openai"),
    ("openai", "gpt-5", "openai"),
    ("anthropic", "claude-sonnet-4-5-20250929", "anthropic"),
    ("anthropic", "claude-3-5-haiku-latest", "anthropic"),
    ("google", "gemini-2.5-pro", "google"),
    ("vertex", "gemini-2.5-flash", "google"),
    ("groq", "llama-3.3-70b-versatile", "groq"),
    ("deepseek", "deepseek-chat", "deepseek"),
    ("mistral", "mistral-large-latest", "mistral"),
    ("xai", "grok-4", "x-ai"),
    ("azure", "gpt-4o", "azure"),
    ("openrouter", "anthropic/claude-sonnet-4.5", "openrouter"),
    ("bedrock", "amazon.nova-lite-v1:0", "aws"),
]


@pytest.mark.parametrize(("provider", "model", "theirs"), LISTED)
@pytest.mark.parametrize("tokens", [(1000, 0, 0), (1000, 400, 0), (300_000, 200_000, 50_000)])
@pytest.mark.parametrize("at", [NOW, datetime(2025, 10, 1, 18, tzinfo=UTC)])
def test_costs_are_those_of_the_price_list(provider, model, theirs, tokens, at) -> None:
    inputs, cached, written = tokens
    usage = Usage(inputs, 500, cached, written)
    reference = TheirUsage(
        input_tokens=inputs,
        output_tokens=500,
        cache_read_tokens=cached,
        cache_write_tokens=written,
    )
    expected = calc_price(reference, model, provider_id=theirs, genai_request_timestamp=at)
    assert price(provider, model, usage, at).usd == expected.total_price


def test_cached_tokens_are_billed_once() -> None:
    usage = Usage(input_tokens=1000, output_tokens=0, cached_tokens=400, cache_write_tokens=100)
    expected = (500 * Decimal(3) + 400 * Decimal("0.3") + 100 * Decimal("3.75")) / 1_000_000
    assert price("anthropic", "claude-sonnet-4-5", usage, NOW).usd == expected


REALTIME: Json = {
    "input_token_details": {
        "audio_tokens": 600,
        "cached_tokens": 400,
        "cached_tokens_details": {"text_tokens": 100, "audio_tokens": 300},
    },
    "output_token_details": {"audio_tokens": 80, "text_tokens": 20},
}
LIVE: Json = {
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 400},
        {"modality": "AUDIO", "tokenCount": 600},
    ],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 80}],
}


@pytest.mark.parametrize(
    ("provider", "model", "raw", "cached", "cached_audio"),
    [("openai", "gpt-realtime", REALTIME, 400, 300), ("google", "gemini-3.8-live", LIVE, 0, 0)],
)
def test_sound_costs_what_the_list_says(provider, model, raw, cached, cached_audio) -> None:
    reference = TheirUsage(
        input_tokens=1000,
        output_tokens=100,
        cache_read_tokens=cached,
        input_audio_tokens=600,
        cache_audio_read_tokens=cached_audio,
        output_audio_tokens=80,
    )
    expected = calc_price(reference, model, provider_id=provider, genai_request_timestamp=NOW)
    usage = Usage(1000, 100, cached, raw=raw)
    assert price(provider, model, usage, NOW).usd == expected.total_price


def test_counters_of_sound_that_make_no_sense_cost_nothing_more_than_they_can() -> None:
    wild: Json = {"prompt_tokens_details": {"audio_tokens": 10**12}}
    tame: Json = {"prompt_tokens_details": {"audio_tokens": 1000}}
    costs = [
        price("openai", "gpt-realtime", Usage(1000, 1, raw=raw), NOW).usd for raw in (wild, tame)
    ]
    assert costs[0] == costs[1]


def test_what_is_cached_for_an_hour_costs_more() -> None:
    raw: Json = {
        "cache_creation": {"ephemeral_1h_input_tokens": 60, "ephemeral_5m_input_tokens": 40}
    }
    usage = Usage(100, 0, 0, 100, raw=raw)
    expected = (60 * Decimal(6) + 40 * Decimal("3.75")) / 1_000_000
    assert price("anthropic", "claude-sonnet-4-5", usage, NOW).usd == expected


def test_counters_that_contradict_each_other_never_cost_less_than_nothing() -> None:
    usage = Usage(input_tokens=10, output_tokens=-5, cached_tokens=40, cache_write_tokens=90)
    cost = price("anthropic", "claude-sonnet-4-5", usage, NOW)
    assert cost.usd == 10 * Decimal("0.3") / 1_000_000


def test_the_price_in_force_at_the_time_counts() -> None:
    before = price(
        "anthropic", "claude-sonnet-4-6", Usage(300_000, 0), datetime(2026, 3, 1, tzinfo=UTC)
    )
    after = price(
        "anthropic", "claude-sonnet-4-6", Usage(300_000, 0), datetime(2026, 4, 1, tzinfo=UTC)
    )
    assert (before.usd, after.usd) == (Decimal("1.8"), Decimal("0.9"))


@pytest.mark.parametrize(
    ("provider", "model", "confidence"),
    [
        ("openai", "gpt-4o", "exact"),
        ("openai", "gpt-4o-2024-08-06", "exact"),
        ("anthropic", "claude-sonnet-4-20250514", "exact"),
        ("google", "models/gemini-2.5-flash", "exact"),
        ("google", "gemini-2.5-flash-preview-05-20", "prefix"),
        ("vertex", "claude-sonnet-4-5@20250929", "exact"),
        ("gateway-of-mine", "openai/gpt-4o", "prefix"),
        ("openai", "gpt-next-unheard-of", "unknown"),
        ("gateway-of-mine", "unheard-of", "unknown"),
        ("ollama", "gpt-oss:20b", "unknown"),
        ("openai-compatible", "gpt-4o", "unknown"),
        ("openai", None, "unknown"),
    ],
)
def test_confidence_tells_how_the_model_was_found(provider, model, confidence) -> None:
    cost = price(provider, model, PLAIN, NOW)
    assert cost.confidence == confidence
    assert (cost.usd is None) == (confidence == "unknown")
    assert cost.source


def test_a_cost_that_the_provider_tells_comes_before_the_list() -> None:
    billed = Usage(10, 5, raw={"cost": 0.00012})
    assert price("openrouter", "anthropic/claude-sonnet-4.5", billed, NOW).usd == Decimal("0.00012")
    parts = Usage(10, 5, raw={"cost": {"total_cost": 0.006}})
    assert price("perplexity", "sonar", parts, NOW).usd == Decimal("0.006")
    with_own_key = Usage(10, 5, raw={"cost": 0.00012, "is_byok": True})
    assert "genai" in price("openrouter", "openai/gpt-4o", with_own_key, NOW).source


def test_a_cost_that_the_provider_tells_holds_for_models_on_no_list() -> None:
    usage = Usage(10, 5, raw={"cost": 0.00012})
    cost = price("openrouter", "unheard/of", usage, NOW)
    assert (cost.usd, cost.confidence) == (Decimal("0.00012"), "exact")
    for wrong in (True, "1", -1, 1e300, None):
        assert price("openrouter", "unheard/of", Usage(10, 5, raw={"cost": wrong}), NOW).usd is None


def test_cohere_bills_less_than_was_read() -> None:
    units: Json = {"input_tokens": 7, "output_tokens": 9}
    read = Usage(69, 12, raw={"billed_units": units, "tokens": {"input_tokens": 69}})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (
        price("cohere", "command-r", read, at).usd
        == price("cohere", "command-r", Usage(7, 9), at).usd
    )


def test_without_tokens_there_is_no_cost() -> None:
    assert price("openai", "gpt-4o", None, NOW).usd is None
    assert price("openai", "gpt-4o", Usage(), NOW).source == "no usage"
    assert price("openai", "gpt-4o", Usage(0, 0), NOW).usd == 0


def test_names_lose_what_clouds_and_gateways_put_around_them() -> None:
    assert "gpt-4o" in spellings("openai/gpt-4o")
    assert "claude-x" in spellings("us.anthropic.claude-x:0")
    assert "gemini-x" in spellings("models/gemini-x")
    assert spellings("gpt-4o") == ["gpt-4o"]


def test_the_memory_of_listings_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    listings = sys.modules["llmproxy_core.pricing.price"]
    monkeypatch.setattr(listings, "CACHE", 8)
    monkeypatch.setattr(listings, "_listings", {})
    for n in range(50):
        price("ollama", f"m{n}", PLAIN, NOW)
    assert len(listings._listings) <= 8


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    price("openai", "gpt-4o", PLAIN, NOW)
    assert threading.active_count() == before


def test_prices_are_loaded_only_when_one_is_asked_for() -> None:
    code = "import sys, llmproxy_core.pricing; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
