"""How sure a rule may be, how much traffic it needs, and what a change is worth."""

import math
from datetime import UTC, datetime
from decimal import Decimal

from llmproxy_core.enhancements.evidence import Evidence, Observed
from llmproxy_core.model import Usage
from llmproxy_core.pricing import price

SUREST = 0.95
AT_LEAST = 0.72
"""Of a rule that has just enough traffic: enough to become a candidate."""


def grown(n: int, least: int, surest: float = SUREST) -> float:
    """AT_LEAST at `least` calls, growing to `surest` with the root of the traffic, as errors of
    means shrink."""
    missing = (surest - AT_LEAST) * math.sqrt(least / max(n, least))
    return round(surest - missing, 3)


def never(n: int) -> float:
    """The share that what never happened in `n` calls may have: the upper 95 % bound, 3/n (Hanley
    and Lippman-Hand 1983, JAMA 249:1743)."""
    return min(1.0, 3 / n) if n else 1.0


def usd(evidence: Evidence, call: Observed, usage: Usage) -> Decimal | None:
    """What a call like this one costs with that usage, by the prices of its time; None: nobody
    knows. What the provider told of the real call is not asked."""
    counted = Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    at = call.at if call.at.tzinfo else call.at.replace(tzinfo=UTC)
    return price(
        call.provider, call.model, counted, min(at, datetime.now(UTC)), evidence.prices
    ).usd


def dollars(value: float) -> str:
    return f"{value:.2f} USD" if value >= 0.1 else f"{value:.4f} USD"
