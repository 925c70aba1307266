"""Which patterns the advisor is asked about: those that surely fail often, once for what is known."""

from collections.abc import Collection
from dataclasses import dataclass

from llmproxy_core.enhancements.evidence import Evidence
from llmproxy_core.success.rate import wilson

BELOW = 0.8
LEAST_CALLS = 50
LEAST_FAILURES = 3
"""Exemplars of failures that there are texts of."""


@dataclass(frozen=True, slots=True)
class Success:
    """Judged calls without a signal that counts, and the 95 % interval of their share."""

    calls: int
    good: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.good / self.calls if self.calls else 1.0


def success(evidence: Evidence, counting: Collection[str] | None = None) -> Success:
    """`counting`: names of signals; None: all."""
    judged = [call for call in evidence.calls if call.judged]
    bad = sum(
        bool(call.bad if counting is None else call.bad.intersection(counting)) for call in judged
    )
    low, high = wilson(len(judged) - bad, len(judged))
    return Success(len(judged), len(judged) - bad, low, high)


def not_due(
    evidence: Evidence,
    asked: Collection[str] = (),
    counting: Collection[str] | None = None,
    below: float = BELOW,
    least: int = LEAST_CALLS,
) -> str | None:
    """Why the advisor is not asked about a pattern; None: it is.

    `asked`: `Evidence.hash` of all earlier questions about it. The upper end of the interval has to
    lie below `below`: a pattern that may be good enough is left alone.
    """
    found = success(evidence, counting)
    if found.calls < least:
        return f"{found.calls} judged calls; {least} are needed"
    if found.high >= below:
        return f"{found.rate:.0%} succeed, perhaps {found.high:.0%}; below {below:.0%} it would be asked"
    if sum(bool(one.why) for one in evidence.exemplars) < LEAST_FAILURES:
        return f"the texts of fewer than {LEAST_FAILURES} failures are kept"
    if not evidence.wires:
        return "no call of the pattern can be edited"
    if evidence.hash in asked:
        return "it was asked before, and nothing has changed since"
    return None
