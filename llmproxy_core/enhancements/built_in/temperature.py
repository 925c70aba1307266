"""A temperature at which extraction or classification fails more often than at a low one.

Wanted: both were tried with the same model (LEAST_CALLS judged calls each), and the 95 % intervals of
their shares of bad calls do not meet. Without such a comparison nothing is suggested: a high
temperature by itself is no fault.
"""

from collections import defaultdict
from collections.abc import Sequence

from llmproxy_core.enhancements.built_in.weights import grown
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Observed
from llmproxy_core.success.rate import wilson

NAME = "temperature"
TYPES = frozenset({"extraction", "classification"})
LEAST_CALLS = 50
LOW, HIGH = 0.3, 0.7
SUREST = 0.85
"""Who sets which temperature may differ in other ways, too."""


def suggest(evidence: Evidence) -> list[Suggestion]:
    if evidence.type not in TYPES:
        return []
    models: defaultdict[tuple[str, str], list[Observed]] = defaultdict(list)
    for call in evidence.editable:
        if call.judged and temperature(call) is not None:
            models[call.provider, call.model].append(call)
    for (_, model), calls in sorted(models.items(), key=lambda one: -len(one[1])):
        low = [call for call in calls if (temperature(call) or 0.0) <= LOW]
        high = [call for call in calls if (temperature(call) or 0.0) >= HIGH]
        if _is_worse(high, low):
            return [_suggestion(model, high, low)]
    return []


def temperature(call: Observed) -> float | None:
    value = call.parameters.get("temperature")
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


def _is_worse(high: Sequence[Observed], low: Sequence[Observed]) -> bool:
    if min(len(high), len(low)) < LEAST_CALLS:
        return False
    return wilson(_bad(high), len(high))[0] > wilson(_bad(low), len(low))[1]


def _bad(calls: Sequence[Observed]) -> int:
    return sum(bool(call.bad) for call in calls)


def _suggestion(model: str, high: Sequence[Observed], low: Sequence[Observed]) -> Suggestion:
    value = max(temperature(call) or 0.0 for call in low)
    return Suggestion(
        type="structure",
        edit=({"op": "clamp", "parameter": "temperature", "max": value},),
        confidence=grown(min(len(high), len(low)), LEAST_CALLS, SUREST),
        reasoning=(
            f"With {model}, {_bad(high) / len(high):.0%} of {len(high)} calls at a temperature of "
            f"{HIGH} or more fail, and {_bad(low) / len(low):.0%} of {len(low)} at {LOW} or less."
        ),
        source_engine=f"built-in:{NAME}",
    )
