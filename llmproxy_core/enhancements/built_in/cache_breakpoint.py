"""A cache mark that is missing: the same long prefix is paid for in full again and again.

Wanted: LEAST_CALLS calls without any mark, on a wire where nothing is cached without one, with a
prefix 15 % over the model's minimum (it is estimated), and a replay of their times that saves
LEAST_SHARE of their cost. The replay: a prefix that the same key sent to the same model within five
minutes is read, else written; with a mark on the last message, what the call before it in the
conversation had sent is read as well.
"""

from collections.abc import Sequence
from decimal import Decimal

from llmproxy_core.enhancements.built_in.cache_replay import Replayed, replayed
from llmproxy_core.enhancements.built_in.cache_terms import MARKED, terms
from llmproxy_core.enhancements.built_in.weights import dollars, grown
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Observed

NAME = "cache_breakpoint"
LEAST_CALLS = 30
LEAST_SHARE = Decimal("0.05")
MARGIN = 1.15
BETTER = Decimal("1.02")
"""A second mark has to save this much more than one."""
LAST = -1
"""The last message."""


def suggest(evidence: Evidence) -> list[Suggestion]:
    calls = [call for call in evidence.editable if _may_be_cached(call)]
    has_system = 2 * sum(call.has_system for call in calls) >= len(calls)
    calls = [call for call in calls if call.has_system == has_system]
    if len(calls) < LEAST_CALLS:
        return []
    places: tuple[str | int, ...] = ("system" if has_system else "tools",)
    best, following = (replayed(evidence, calls, follow) for follow in (False, True))
    if _saved(following) > _saved(best) * BETTER:
        best, places = following, (*places, LAST)
    if best.priced < LEAST_CALLS or _saved(best) <= best.before * LEAST_SHARE:
        return []
    return [_suggestion(evidence, calls, places, best)]


def _saved(found: Replayed) -> Decimal:
    return max(Decimal(0), found.before - found.after)


def _may_be_cached(call: Observed) -> bool:
    found = terms(call.model)
    return (
        call.wire in MARKED
        and call.breakpoints == 0
        and not call.usage.cached_tokens
        and bool(call.prefix)
        and (call.has_system or (found.tools and bool(call.declared)))
        and call.prefix_tokens >= found.minimum * MARGIN
        and bool(call.usage.input_tokens)
    )


def _mark(place: str | int) -> Operation:
    return {"op": "cache_breakpoint", "at": place}


def _suggestion(
    evidence: Evidence, calls: Sequence[Observed], places: tuple[str | int, ...], found: Replayed
) -> Suggestion:
    a_day = evidence.a_day(float(_saved(found)))
    size = sorted(call.prefix_tokens for call in calls)[len(calls) // 2]
    told = " and ".join("the last message" if one == LAST else f"the {one}" for one in places)
    return Suggestion(
        type="structure",
        edit=tuple(map(_mark, places)),
        confidence=grown(len(calls), LEAST_CALLS),
        reasoning=(
            f"{len(calls)} calls begin with about {size} tokens that do not change, and have no "
            f"cache mark. Marked behind {told}, they would have cost "
            f"{_saved(found) / found.before:.0%} less: about {dollars(a_day)} a day."
        ),
        source_engine=f"built-in:{NAME}",
        aim="cost",
        saving_usd_per_day=round(a_day, 6),
        wires=tuple(sorted({call.wire for call in calls})),
    )
