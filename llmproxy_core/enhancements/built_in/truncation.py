"""`max_tokens` that cuts answers off.

Wanted: LEAST_CALLS calls with a limit, LEAST_CUT of them cut off at it (not by the context window),
and a share that is surely over LEAST_SHARE. The new limit: 1.25 times the length that 99 % of the
answers would not exceed, by the Kaplan-Meier estimate, or twice the largest limit where that cannot
be told; never more than the model is known to write. Lower limits are raised, others stay.
"""

import math
from collections.abc import Sequence

from llmproxy_core.enhancements.built_in.survival import quantile
from llmproxy_core.enhancements.built_in.weights import dollars, grown, usd
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Observed
from llmproxy_core.model import Usage
from llmproxy_core.success.rate import wilson

NAME = "truncation"
SIGNAL = "truncated"
LEAST_CALLS, LEAST_CUT = 30, 3
LEAST_SHARE = 0.01
AT_LIMIT = 0.9
"""Of the limit: tokens are counted in other ways by some."""
SHARE, ROOM = 0.99, 1.25
MOST_TIMES = 4
"""Of the largest limit so far."""
WRITES: tuple[tuple[str, int], ...] = (
    ("claude-3-5", 8192),
    ("claude-3-7", 64_000),
    ("claude-3", 4096),
    ("gpt-3.5", 4096),
    ("gpt-4o", 16_384),
    ("gpt-4.1", 32_768),
    ("gpt-4", 4096),
)
"""Tokens that a model can write, by a word of its name (providers' model lists); the first counts."""
USUAL = 8192


def suggest(evidence: Evidence) -> list[Suggestion]:
    calls = [call for call in evidence.editable if limit(call) and call.usage.output_tokens]
    cut = [call for call in calls if _is_cut(call)]
    if len(calls) < LEAST_CALLS or len(cut) < LEAST_CUT:
        return []
    if wilson(len(cut), len(calls))[0] <= LEAST_SHARE:
        return []
    value = _value(calls)
    raised = [call for call in cut if limit(call) < value]
    if len(raised) < LEAST_CUT:
        return []
    return [_suggestion(evidence, calls, cut, value)]


def limit(call: Observed) -> int:
    """0: none is set, or it is not a number."""
    value = call.parameters.get("max_tokens")
    return value if type(value) is int and value > 0 else 0


def _is_cut(call: Observed) -> bool:
    return SIGNAL in call.bad and (call.usage.output_tokens or 0) >= limit(call) * AT_LIMIT


def _value(calls: Sequence[Observed]) -> int:
    largest = max(map(limit, calls))
    found = quantile(((call.usage.output_tokens or 0, _is_cut(call)) for call in calls), SHARE)
    wanted = largest * 2 if found is None else math.ceil(found * ROOM)
    step = 64 if wanted <= 1024 else 256
    wanted = math.ceil(wanted / step) * step
    return min(wanted, largest * MOST_TIMES, max(largest, min(map(_writes, calls))))


def _writes(call: Observed) -> int:
    model = call.model.lower()
    return next((most for word, most in WRITES if word in model), USUAL)


def _suggestion(
    evidence: Evidence, calls: Sequence[Observed], cut: Sequence[Observed], value: int
) -> Suggestion:
    limits = sorted({limit(call) for call in cut})
    told = str(limits[0]) if len(limits) == 1 else f"{limits[0]} to {limits[-1]}"
    more = _dearer(evidence, cut, value)
    paid = "" if more is None else f" At most it costs {dollars(more)} a day more."
    return Suggestion(
        type="structure",
        edit=({"op": "clamp", "parameter": "max_tokens", "min": value},),
        confidence=grown(len(calls), LEAST_CALLS),
        reasoning=(
            f"{len(cut)} of {len(calls)} answers ({len(cut) / len(calls):.0%}) were cut off at "
            f"max_tokens ({told}). {value} would be enough for nearly all.{paid}"
        ),
        source_engine=f"built-in:{NAME}",
    )


def _dearer(evidence: Evidence, cut: Sequence[Observed], value: int) -> float | None:
    """USD a day, if every answer that was cut off took the whole of the new limit."""
    total = 0.0
    for call in cut:
        before = usd(evidence, call, Usage(0, call.usage.output_tokens))
        after = usd(evidence, call, Usage(0, max(value, limit(call))))
        if before is None or after is None:
            return None
        total += float(after - before)
    return evidence.a_day(total)
