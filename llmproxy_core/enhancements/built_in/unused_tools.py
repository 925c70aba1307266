"""Tools that are offered with every call and never called.

Wanted: a tool offered in LEAST_CALLS calls of LEAST_CONVERSATIONS conversations, called in none of
these. Tools that a request names (`tool_choice`), or that the prompt speaks of, stay; so do all of
a call that would have none left and says how to choose. By the rule of three the share of conversations that would miss
it is under 3/n, 95 % sure: 6 % at 50 conversations.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from llmproxy_core.enhancements.built_in.weights import dollars, grown, never, usd
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Observed
from llmproxy_core.model import Usage

NAME = "unused_tools"
LEAST_CALLS, LEAST_CONVERSATIONS = 100, 50
LEAST_TOKENS = 100
"""Of all definitions together that are left out: less is not worth a change."""
MOST_TOOLS = 64
NAMED = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
"""Other names would be patterns in the operation."""


def suggest(evidence: Evidence) -> list[Suggestion]:
    offered = _offered(evidence.editable)
    unused = sorted(
        name
        for name, calls in offered.items()
        if NAMED.fullmatch(name) and _is_unused(name, calls) and not _is_spoken_of(name, evidence)
    )[:MOST_TOOLS]
    size = sum(evidence.tools.get(name, 0) for name in unused)
    if not unused or size < LEAST_TOKENS:
        return []
    if any(_leaves_a_choice_of_none(call, unused) for call in evidence.editable):
        return []
    return [_suggestion(evidence, unused, size, min((offered[name] for name in unused), key=len))]


def _offered(calls: Sequence[Observed]) -> dict[str, list[Observed]]:
    found: defaultdict[str, list[Observed]] = defaultdict(list)
    for call in calls:
        for name in set(call.declared):
            found[name].append(call)
    return found


def _is_unused(name: str, calls: Sequence[Observed]) -> bool:
    conversations = {call.conversation or call.id for call in calls}
    if len(calls) < LEAST_CALLS or len(conversations) < LEAST_CONVERSATIONS:
        return False
    return not any(name in call.called or name in call.forced for call in calls)


def _is_spoken_of(name: str, evidence: Evidence) -> bool:
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    texts = (evidence.template, *(one.system for one in evidence.exemplars))
    return any(word.search(text) for text in texts)


def _leaves_a_choice_of_none(call: Observed, unused: Sequence[str]) -> bool:
    return "tool_choice" in call.parameters and not set(call.declared) - set(unused)


def _suggestion(
    evidence: Evidence, unused: Sequence[str], size: int, calls: Sequence[Observed]
) -> Suggestion:
    conversations = len({call.conversation or call.id for call in calls})
    saved = _saved(evidence, unused)
    a_day = None if saved is None else evidence.a_day(saved)
    worth = "" if a_day is None else f", about {dollars(a_day)} a day"
    return Suggestion(
        type="context",
        edit=({"op": "drop_tools", "names": list(unused)},),
        confidence=grown(conversations, LEAST_CONVERSATIONS),
        reasoning=(
            f"{_told(unused)} offered in {len(calls)} calls of {conversations} conversations and "
            f"never called; at most {never(conversations):.1%} of the conversations would miss "
            f"them. Their definitions take about {size} tokens of each call{worth}."
        ),
        source_engine=f"built-in:{NAME}",
        aim="cost",
        saving_usd_per_day=None if a_day is None else round(a_day, 6),
    )


def _told(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"The tool {names[0]} is"
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"The tools {shown} are"


def _saved(evidence: Evidence, unused: Sequence[str]) -> float | None:
    """USD of the calls in the sample. Where a call was read from a cache, so were its tools."""
    total = 0.0
    for call in evidence.editable:
        tokens = sum(evidence.tools.get(name, 0) for name in set(call.declared) & set(unused))
        read = tokens if call.usage.cached_tokens else 0
        value = usd(evidence, call, Usage(tokens, 0, cached_tokens=read))
        if value is None:
            return None
        total += float(value)
    return total
