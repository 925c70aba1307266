from llmproxy_core.pricing.estimate import estimated
from llmproxy_core.pricing.own import OwnPrices
from llmproxy_core.pricing.price import NO_PRICES, price

__all__ = ["NO_PRICES", "OwnPrices", "estimated", "price"]
