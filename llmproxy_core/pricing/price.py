"""What a call cost: tokens times the price that was in force.

The arithmetic is genai-prices' own (its `decompose.py`, `ModelPrice.calc_price`) for the counters
that we have, several times as fast: every token is billed once, at its most special price. Cached
and cache-write tokens are part of the input tokens and are taken out of them.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llmproxy_core.model import Cost, Usage, mapping
from llmproxy_core.pricing.catalogue import Listing, find
from llmproxy_core.pricing.modalities import modalities
from llmproxy_core.pricing.own import OwnPrices

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

MILLION = Decimal(1_000_000)
THOUSAND = Decimal(1000)
CACHE = 4096
NO_PRICES = OwnPrices()
SPECIAL = ("input_audio_mtok", "input_image_mtok", "output_image_mtok", "output_audio_mtok")

_listings: dict[tuple[str, str], Listing | None] = {}
"""Looked up once per provider and model; bounded."""


def price(
    provider: str,
    model: str | None,
    usage: Usage | None,
    at: datetime,
    own: OwnPrices = NO_PRICES,
) -> Cost:
    """The cost of a call at `at` in USD; `usd` is None where tokens or prices are not known.

    A price of the user's own comes first, then what the provider itself told (OpenRouter does),
    then the price list.
    """
    if usage is None or (usage.input_tokens is None and usage.output_tokens is None):
        return Cost(None, "no usage", "unknown")
    if mine := own.find(provider, model or "", at):
        return Cost(mine.of(usage), f"mitm.toml {mine.provider}/{mine.model}", "exact")
    told = told_cost(usage)
    if told is not None:
        return Cost(told, f"told by {provider}", "exact")
    listing = _listing(provider, model or "")
    if listing is not None:
        usd = _sum(listing.at(at), _billed(usage))
        return Cost(usd, listing.source, listing.confidence)
    return Cost(None, f"no price for {model or 'an unnamed model'} at {provider}", "unknown")


def _billed(usage: Usage) -> Usage:
    """Cohere bills fewer tokens than were read, and tells both."""
    units = mapping(mapping(usage.raw).get("billed_units"))
    told = [units.get(name) for name in ("input_tokens", "output_tokens")]
    if not any(type(n) is int for n in told):
        return usage
    read, written = (n if type(n) is int else None for n in told)
    return Usage(read, written, raw=usage.raw)


def _listing(provider: str, model: str) -> Listing | None:
    key = (provider, model)
    try:
        return _listings[key]
    except KeyError:
        if len(_listings) >= CACHE:
            _listings.clear()
        _listings[key] = found = find(provider, model)
        return found


def _sum(prices: "ModelPrice", usage: Usage) -> Decimal:
    """The tokens split so that each is billed once, then priced."""
    fields = prices.__dict__
    inputs = max(0, usage.input_tokens or 0)
    outputs = max(0, usage.output_tokens or 0)
    cached = min(max(0, usage.cached_tokens or 0), inputs)
    written = min(max(0, usage.cache_write_tokens or 0), inputs - cached)
    usd = Decimal(0)
    fresh = inputs
    if cached and (rate := _rate(fields.get("cache_read_mtok"), inputs)) is not None:
        usd += rate * cached
        fresh -= cached
    if written and (rate := _rate(fields.get("cache_write_mtok"), inputs)) is not None:
        fresh -= written
        usd += _written(written, rate, _rate(fields.get("cache_write_1h_mtok"), inputs), usage)
    usd += (_rate(fields.get("input_mtok"), inputs) or 0) * fresh
    usd += _output(fields, outputs, inputs, usage)
    if any(key in fields for key in SPECIAL):
        usd += _surcharge(fields, inputs, outputs, usage)
    usd /= MILLION
    if per_request := _rate(fields.get("requests_kcount"), inputs):
        usd += per_request / THOUSAND
    return usd


def _surcharge(fields: Mapping[str, Any], inputs: int, outputs: int, usage: Usage) -> Decimal:
    """What sound, pictures and film cost beyond the same number of tokens of text."""
    usd = Decimal(0)
    for name, told in modalities(usage.raw).items():
        fresh = min(told.input, inputs) - told.cached
        for tokens, special, plain in (
            (max(0, fresh), f"input_{name}_mtok", "input_mtok"),
            (told.cached, f"cache_{name}_read_mtok", "cache_read_mtok"),
            (min(told.output, outputs), f"output_{name}_mtok", "output_mtok"),
        ):
            if tokens and (rate := _rate(fields.get(special), inputs)) is not None:
                usd += tokens * (rate - (_rate(fields.get(plain), inputs) or 0))
    return usd


def _written(tokens: int, rate: Decimal, hour: Decimal | None, usage: Usage) -> Decimal:
    """Anthropic bills what is cached for an hour at a higher price and tells how much that is."""
    creation = mapping(mapping(usage.raw).get("cache_creation"))
    told = creation.get("ephemeral_1h_input_tokens")
    if hour is None or type(told) is not int or told <= 0:
        return rate * tokens
    long = min(told, tokens)
    return rate * (tokens - long) + hour * long


def _output(fields: Mapping[str, Any], outputs: int, inputs: int, usage: Usage) -> Decimal:
    rate = _rate(fields.get("output_mtok"), inputs) or Decimal(0)
    special = _rate(fields.get("output_reasoning_mtok"), inputs)
    if special is None:
        return rate * outputs
    reasoning = min(max(0, usage.reasoning_tokens or 0), outputs)
    return rate * (outputs - reasoning) + special * reasoning


def _rate(price: Any, inputs: int) -> Decimal | None:
    """USD per million; crossing a tier's start prices all tokens at that tier."""
    if price is None or isinstance(price, Decimal):
        return price
    for tier in reversed(price.tiers):
        if inputs > tier.start:
            return Decimal(tier.price)
    return Decimal(price.base)


def told_cost(usage: Usage) -> Decimal | None:
    """USD that the provider says it bills: OpenRouter's `cost`, Perplexity's `cost.total_cost`.

    With a key of one's own at OpenRouter (`is_byok`) its `cost` is only a fee: not told.
    """
    raw = mapping(usage.raw)
    if raw.get("is_byok") is True:
        return None
    cost = raw.get("cost")
    cost = mapping(cost).get("total_cost") if isinstance(cost, dict) else cost
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < 1e6:
        return None
    return Decimal(str(cost))
