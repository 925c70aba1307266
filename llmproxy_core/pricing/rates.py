"""What a token costs at most, to guess the price of a call before it is made."""

from datetime import UTC, datetime
from decimal import Decimal

from llmproxy_core.pricing.catalogue import UNPRICED, find
from llmproxy_core.pricing.own import OwnPrices

MILLION = 1_000_000
NO_PRICES = OwnPrices()


def rates(
    provider: str, model: str, own: OwnPrices = NO_PRICES, at: datetime | None = None
) -> tuple[float, float] | None:
    """USD for a token read and for one written, at the dearest tier; None: nobody knows.

    What is not read from a cache, but written into one, is dearer than other input: then that is
    the rate. Slow: remember the answer. The first one reads the price list (60 ms, 7 MB).
    """
    at = at or datetime.now(UTC)
    if mine := own.find(provider, model, at):
        read, written = max(mine.input, mine.cache_write), max(mine.output, mine.reasoning)
        return float(read) / MILLION, float(written) / MILLION
    if provider in UNPRICED:
        return 0.0, 0.0
    listing = find(provider, model)
    if listing is None:
        return None
    prices = listing.at(at).__dict__
    read = max(map(_dearest, (prices.get("input_mtok"), prices.get("cache_write_mtok"))))
    written = max(map(_dearest, (prices.get("output_mtok"), prices.get("output_reasoning_mtok"))))
    return float(read) / MILLION, float(written) / MILLION


def _dearest(price: object) -> Decimal:
    if price is None or isinstance(price, Decimal):
        return price or Decimal(0)
    tiers = [Decimal(tier.price) for tier in getattr(price, "tiers", ())]
    return max([Decimal(getattr(price, "base", 0)), *tiers])
