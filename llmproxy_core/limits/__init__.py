"""Limits and budgets: how much may pass, counted before it does."""

from llmproxy_core.limits.call import Amount, Call, Level, Refusal
from llmproxy_core.limits.limiter import Limiter, Reservation

__all__ = ["Amount", "Call", "Level", "Limiter", "Refusal", "Reservation"]
