"""All signals there are. A new one is a file and an entry here."""

from collections.abc import Callable
from dataclasses import dataclass

from llmproxy_core.success.answered import answered, unavailable
from llmproxy_core.success.call import Call
from llmproxy_core.success.formats import format_kept
from llmproxy_core.success.refusals import refused
from llmproxy_core.success.signal import Signal
from llmproxy_core.success.tool_calls import tool_calls
from llmproxy_core.success.truncation import truncated


@dataclass(frozen=True, slots=True)
class Definition:
    """`about`: what it says of a call, for people. `judge`: of those that the call itself tells;
    the others come later. `counted`: does it count, if nothing else is said?"""

    name: str
    about: str
    judge: Callable[[Call], Signal | None] | None = None
    counted: bool = True


SIGNALS = {
    one.name: one
    for one in (
        Definition("answered", "an answer came to its end, or an HTTP error did", answered),
        Definition("unavailable", "account, rate limit, overload, outage", unavailable, False),
        Definition("truncated", "the answer ends at its limit of tokens", truncated),
        Definition("refusal", "the model, or a filter, did not do what was asked", refused),
        Definition("format", "JSON and schema, where they were asked for", format_kept),
        Definition("tool_call", "tools that there are, arguments that they take", tool_calls),
        Definition("tool_result", "the tools that were called failed, or did not"),
        Definition("asked_again", "the same question was asked again within minutes"),
        Definition("regenerated", "the same turn was sent again"),
        Definition("edited", "the turn was edited and sent again"),
        Definition("correction", "the next words say that the answer is not right"),
        Definition("feedback", "a person said up or down"),
        Definition("judgement", "what the advisor thinks of a sample"),
    )
}
COUNTED = frozenset(name for name, one in SIGNALS.items() if one.counted)
JUDGES = tuple(one.judge for one in SIGNALS.values() if one.judge)


def judge(call: Call) -> list[Signal]:
    """What a call says about itself. What later ones say of it: `trail.Trails`."""
    return [signal for one in JUDGES if (signal := one(call))]
