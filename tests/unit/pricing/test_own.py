from datetime import UTC, date, datetime
from decimal import Decimal

from llmproxy_core.config import PriceConfig
from llmproxy_core.model import Cost, Usage
from llmproxy_core.pricing import OwnPrices, price

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
USAGE = Usage(1_000_000, 500_000, cached_tokens=400_000, reasoning_tokens=100_000)


def own(**told: object) -> PriceConfig:
    return PriceConfig.model_validate(told)


def priced(*prices: PriceConfig, at: datetime = NOW) -> Cost:
    return price("gateway", "llama-3.3-70b", USAGE, at, OwnPrices(prices))


def test_a_price_of_ones_own_comes_before_the_list() -> None:
    mine = OwnPrices([own(model="gpt-4o*", input=1)])
    cost = price("openai", "gpt-4o-mini", USAGE, NOW, mine)
    assert cost == Cost(Decimal(1), "mitm.toml */gpt-4o*", "exact")


def test_every_token_is_billed_once_at_its_own_rate() -> None:
    mine = own(model="llama*", input=1, output=4, cached=0.1, reasoning=2)
    assert priced(mine).usd == Decimal("0.6") + Decimal("0.04") + Decimal("1.6") + Decimal("0.2")


def test_rates_that_are_left_out_are_those_of_input_and_output() -> None:
    assert priced(own(model="*", input=1, output=4)).usd == 3


def test_the_latest_price_in_force_holds() -> None:
    old = own(model="*", input=1)
    new = own(model="*", input=2, since=date(2026, 11, 1))
    later = own(model="*", input=3, since=date(2026, 12, 1))
    assert priced(old, later, new).usd == 2
    assert priced(old, later, new, at=datetime(2026, 10, 31, 23, tzinfo=UTC)).usd == 1


def test_a_price_for_another_provider_does_not_hold() -> None:
    assert priced(own(model="*", provider="openai", input=1)).usd is None


def test_numbers_in_the_settings_are_exact() -> None:
    assert own(model="m", input=0.1).input == Decimal("0.1")
