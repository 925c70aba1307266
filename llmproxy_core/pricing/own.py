"""Prices of the user's own, from `[[prices]]` in mitm.toml: for gateways, contracts, own servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from llmproxy_core.config import PriceConfig
from llmproxy_core.globs import fits
from llmproxy_core.model import Usage

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """USD per million tokens. What has no rate of its own is billed as input, or as output."""

    provider: str
    model: str
    since: datetime
    input: Decimal
    output: Decimal
    cached: Decimal
    cache_write: Decimal
    reasoning: Decimal

    def holds(self, provider: str, model: str) -> bool:
        return fits(self.provider, provider) and fits(self.model, model)

    def of(self, usage: Usage) -> Decimal:
        """Every token is billed once, at its most special rate."""
        inputs = max(0, usage.input_tokens or 0)
        outputs = max(0, usage.output_tokens or 0)
        cached = min(max(0, usage.cached_tokens or 0), inputs)
        written = min(max(0, usage.cache_write_tokens or 0), inputs - cached)
        thought = min(max(0, usage.reasoning_tokens or 0), outputs)
        usd = self.input * (inputs - cached - written) + self.cached * cached
        usd += self.cache_write * written
        usd += self.output * (outputs - thought) + self.reasoning * thought
        return usd / MILLION


class OwnPrices:
    """Of the prices that fit a model, the latest that is in force; of these the first written."""

    def __init__(self, prices: Sequence[PriceConfig] = ()) -> None:
        newest = sorted(map(_price, prices), key=lambda price: price.since, reverse=True)
        self._prices = newest

    def find(self, provider: str, model: str, at: datetime) -> OwnPrice | None:
        for price in self._prices:
            if price.since <= at and price.holds(provider, model):
                return price
        return None


def _price(told: PriceConfig) -> OwnPrice:
    return OwnPrice(
        provider=told.provider,
        model=told.model,
        since=datetime.combine(told.since, time.min, UTC) if told.since else EVER,
        input=told.input,
        output=told.output,
        cached=_or(told.cached, told.input),
        cache_write=_or(told.cache_write, told.input),
        reasoning=_or(told.reasoning, told.output),
    )


def _or(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate


EVER = datetime.min.replace(tzinfo=UTC)
