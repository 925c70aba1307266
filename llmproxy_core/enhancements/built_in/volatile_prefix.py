"""A clock in the system prompt: what stands behind it is never read from a cache.

Wanted: LEAST_CALLS calls and LEAST_EXEMPLARS exemplars whose system prompts differ in nothing but a
time of day, with LEAST_TOKENS tokens behind it; and hardly any two calls with the same prefix. The
time is cut to its date, so the prefix changes once a day. The model no longer knows the hour: the
confidence is low, and an experiment has to tell.
"""

import re
from collections.abc import Sequence

from llmproxy_core.enhancements.built_in.weights import dollars, grown, usd
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Exemplar, Observed
from llmproxy_core.model import Usage
from llmproxy_core.pricing.estimate import tokens

NAME = "volatile_prefix"
LEAST_CALLS, LEAST_EXEMPLARS = 100, 5
LEAST_TOKENS = 1024
"""From which on providers cache by themselves (platform.openai.com/docs "Prompt caching")."""
MOST_SAME = 0.2
"""Of the calls: if more of them share a prefix, caches work already."""
SUREST = 0.8
PATTERN = r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?"
"""ISO 8601, as `str(datetime)`, `isoformat()` and JavaScript's `toISOString()` write it."""
CLOCK = re.compile(PATTERN)


def suggest(evidence: Evidence) -> list[Suggestion]:
    calls = [call for call in evidence.editable if call.prefix and call.has_system]
    exemplars = [one for one in evidence.exemplars if one.system]
    if len(calls) < LEAST_CALLS or len(exemplars) < LEAST_EXEMPLARS:
        return []
    if 1 - len({call.prefix for call in calls}) / len(calls) > MOST_SAME:
        return []
    size = _behind(exemplars)
    return [_suggestion(evidence, calls, size)] if size >= LEAST_TOKENS else []


def _behind(exemplars: Sequence[Exemplar]) -> int:
    """Tokens behind the clock; 0: there is none, or something else changes as well."""
    if len({one.system for one in exemplars}) < len(exemplars):
        return 0
    if len({CLOCK.sub("", one.system) for one in exemplars}) != 1:
        return 0
    found = CLOCK.search(exemplars[0].system)
    return tokens(exemplars[0].system[found.end() :]) if found else 0


def _suggestion(evidence: Evidence, calls: Sequence[Observed], size: int) -> Suggestion:
    saved = _saved(evidence, calls, size)
    a_day = None if saved is None else evidence.a_day(saved)
    worth = "" if a_day is None else f", up to {dollars(a_day)} a day"
    return Suggestion(
        type="structure",
        edit=({"op": "replace_text", "role": "system", "pattern": PATTERN, "replacement": r"\1"},),
        confidence=grown(len(calls), LEAST_CALLS, SUREST),
        reasoning=(
            f"The system prompt tells the time of day, so that the {size} tokens behind it are new "
            f"in every call. With the date alone they can be read from the cache{worth}."
        ),
        source_engine=f"built-in:{NAME}",
        aim="cost",
        saving_usd_per_day=None if a_day is None else round(a_day, 6),
    )


def _saved(evidence: Evidence, calls: Sequence[Observed], size: int) -> float | None:
    total = 0.0
    for call in calls:
        fresh, read = (usd(evidence, call, Usage(size, 0, cached_tokens=n)) for n in (0, size))
        if fresh is None or read is None:
            return None
        total += float(fresh - read)
    return total if total > 0 else None
