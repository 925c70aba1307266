"""What a call may not have in it, and what becomes of one that has."""

from llmproxy_core.policies.engine import Hit, Policies
from llmproxy_core.policies.policy import Phase, Policy

__all__ = ["Hit", "Phase", "Policies", "Policy"]
