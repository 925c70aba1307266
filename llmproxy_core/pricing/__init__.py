from llmproxy_core.pricing.price import price

__all__ = ["price"]
