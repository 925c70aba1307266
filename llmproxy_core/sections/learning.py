"""`[learning]`: what is learnt of calls, what is suggested, and what happens without a person."""

from typing import Literal, get_args

from pydantic import Field

from llmproxy_core.sections.values import Section

type SignalName = Literal[
    "answered",
    "unavailable",
    "truncated",
    "refusal",
    "format",
    "tool_call",
    "tool_result",
    "asked_again",
    "regenerated",
    "edited",
    "correction",
    "feedback",
    "judgement",
]
"""As in `success.registry.SIGNALS`."""

COUNTED: list[SignalName] = [
    name for name in get_args(SignalName.__value__) if name != "unavailable"
]


class LearningConfig(Section):
    """`patterns`: the worker finds patterns and judges success. `min_calls`: judged calls of a
    pattern before anything is suggested. `suggest`: by whom; the advisor needs `advisor.enabled`.
    `advisor_sample`: the share of the calls that it judges. `sync_ms`: how long a request may wait
    for a change that is worked out while it waits; 0: it never does."""

    patterns: bool = True
    min_calls: int = Field(default=20, ge=10, le=1_000_000)
    suggest: Literal["off", "built-in", "advisor"] = "built-in"
    auto_experiment: bool = False
    success_below: float = Field(default=0.8, gt=0, le=1)
    above_confidence: float = Field(default=0.7, ge=0, lt=1)
    counting: list[SignalName] = Field(default=COUNTED, min_length=1)
    judged_after_seconds: float = Field(default=3600.0, ge=0, le=7 * 86_400)
    sync_ms: int = Field(default=0, ge=0, le=500)
    advisor_sample: float = Field(default=0.0, ge=0, le=1)
