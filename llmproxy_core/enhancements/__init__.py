"""Suggestions for patterns: from the data alone, or by the advisor; and what becomes of them."""

from llmproxy_core.enhancements.choice import Check, Refused, built_in
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.enhancement import (
    Change,
    Enhancement,
    Suggestion,
    candidate,
    tried,
)
from llmproxy_core.enhancements.evidence import Evidence, Exemplar, Observed, Violation

__all__ = [
    "Change",
    "Check",
    "Enhancement",
    "Evidence",
    "Exemplar",
    "Observed",
    "Operation",
    "Refused",
    "Suggestion",
    "Violation",
    "built_in",
    "candidate",
    "tried",
]
