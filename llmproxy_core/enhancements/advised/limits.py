"""Bounds of the parameters that the advisor may set: within what the evidence has seen."""

from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.evidence import Evidence
from llmproxy_core.model import Json

RANGES: dict[str, tuple[float, float]] = {"temperature": (0.0, 1.0), "top_p": (0.1, 1.0)}
MOST_TIMES = 4
"""Of the largest `max_tokens` or answer so far."""


def parameter_fault(one: Operation, evidence: Evidence) -> str | None:
    name = str(one.get("parameter"))
    numbers = {key: one[key] for key in ("value", "min", "max") if key in one}
    if not numbers:
        return "it sets nothing"
    low, high = RANGES.get(name) or _tokens(evidence)
    for key, value in numbers.items():
        if not _is_number(value) or not low <= value <= high:  # type: ignore[operator]
            return f"{key} {value!r} of {name} is not between {low:g} and {high:g}"
    if name == "max_tokens" and not all(type(value) is int for value in numbers.values()):
        return "a number of tokens is a whole number"
    least, most = numbers.get("min"), numbers.get("max")
    if _is_number(least) and _is_number(most) and least > most:  # type: ignore[operator]
        return "min is greater than max"
    return None


def _is_number(value: Json) -> bool:
    return type(value) in (int, float)


def _tokens(evidence: Evidence) -> tuple[float, float]:
    """From the longest answer that was good, to a multiple of what was ever allowed or written."""
    good = [call.usage.output_tokens or 0 for call in evidence.calls if not call.bad]
    told = [call.parameters.get("max_tokens") for call in evidence.calls]
    limits = [value for value in told if type(value) is int]
    written = [call.usage.output_tokens or 0 for call in evidence.calls]
    return max(good, default=1), MOST_TIMES * max([*limits, *written], default=0)
