"""Why a prompt cache was not read: what changed between a call and the one that it continues.

Sources: docs.anthropic.com "Prompt caching" (order tools, system, messages; 5 minutes or an hour,
kept alive by each use; a mark finds what was written up to 20 blocks before it);
platform.openai.com "Prompt caching" (from 1,024 tokens on, in steps of 128).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from llmproxy_core.conversations.segments import Prompt, Segment
from llmproxy_core.model import Usage

type Cause = Literal["client", "time", "ours", "provider"]
type Price = Callable[[Usage], Decimal | None]

IMPLICIT = frozenset({"openai", "azure", "chatgpt", "deepseek", "gemini", "vertex", "xai", "groq"})
"""Providers that cache without being asked."""
LEAST = 1024
"""Tokens from which on a provider caches by itself."""
STEP = 128
LOOK_BACK = 20
"""Blocks before a mark among which Anthropic looks for what is cached."""
LONG = 3600
SHORT = 300
EXCERPT = 60


@dataclass(frozen=True, slots=True)
class Call:
    """A call as far as caches are concerned. `changed`: did we change its request?"""

    prompt: Prompt
    provider: str
    begun: datetime
    usage: Usage
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What differs first, and where; `was` and `now` are excerpts around it."""

    what: str
    was: str = ""
    now: str = ""
    all: bool = False
    """Nothing of the cache holds after it."""


@dataclass(frozen=True, slots=True)
class Miss:
    """Tokens that could have been read from the cache and were not, and why.

    `cost_usd`: what the call cost more for it; None where there is no price. `idle` in seconds.
    """

    cause: Cause
    expected: int
    read: int
    change: Change | None
    idle: float
    ttl: int
    cost_usd: Decimal | None

    @property
    def lost(self) -> int:
        return self.expected - self.read

    @property
    def sentence(self) -> str:
        lost = f"{self.lost:,} of {self.expected:,} cached tokens were not read"
        if self.cause == "time":
            return f"{lost}: {self.idle:,.0f} s had passed, and the cache holds for {self.ttl:,} s"
        if self.change is None:
            return f"{lost}, though nothing changed: the provider did not keep or find them"
        by = "we changed" if self.cause == "ours" else "the client changed"
        return f"{lost}: {by} {self.change.what}"


def explain(call: Call, before: Call, price: Price) -> Miss | None:
    """`before`: the call it continues. None: no cache was expected, or it was read."""
    expected, read = _expected(before), call.usage.cached_tokens or 0
    expected = min(expected, call.usage.input_tokens or 0)
    if call.usage.input_tokens is None or expected - read < max(2 * STEP, expected // 10):
        return None
    change = first_change(call.prompt, before.prompt)
    idle = (call.begun - before.begun).total_seconds()
    ttl = _ttl(before)
    cause: Cause = "provider"
    if idle > ttl and read == 0 and not (change and change.all):
        cause = "time"
    elif change is not None:
        cause = "ours" if call.changed or before.changed else "client"
    return Miss(cause, expected, read, change, idle, ttl, _cost(call.usage, expected, price))


def _expected(before: Call) -> int:
    """Tokens that the call before left in a cache."""
    usage = before.usage
    told = (usage.cached_tokens or 0) + (usage.cache_write_tokens or 0)
    if usage.cache_write_tokens or before.prompt.marks:
        return told
    caches = told or before.provider in IMPLICIT
    tokens = usage.input_tokens or 0
    return tokens // STEP * STEP if caches and tokens >= LEAST else told


def _ttl(before: Call) -> int:
    marks = [segment.ttl for segment in before.prompt.segments if segment.ttl]
    return max(marks, default=LONG if before.provider in IMPLICIT else SHORT)


def _cost(usage: Usage, expected: int, price: Price) -> Decimal | None:
    lost = expected - (usage.cached_tokens or 0)
    written = max(0, (usage.cache_write_tokens or 0) - lost)
    had, raw = price(usage), usage.raw
    if isinstance(raw, dict):  # a cost that the provider told is that of the miss
        raw = {key: value for key, value in raw.items() if key != "cost"}
    hit = replace(usage, cached_tokens=expected, cache_write_tokens=written, raw=raw)
    would = price(hit)
    return None if had is None or would is None else had - would


def first_change(now: Prompt, was: Prompt) -> Change | None:
    """The first of what takes part in a cache that is not as it was."""
    if now.model != was.model:
        return Change(f"the model from {was.model} to {now.model}", was.model, now.model, all=True)
    for kind in ("tools", "system"):
        if change := _difference(now.of(kind), was.of(kind), kind, whole=True):
            return replace(change, all=kind == "tools" or "block 1" in change.what)
    if change := _parameter(now, was):
        return change
    if now.partial:
        return None
    change = _difference(now.of("messages"), was.of("messages"), "messages", whole=False)
    return change or _marks(now, was)


def _difference(now: list[Segment], was: list[Segment], kind: str, *, whole: bool) -> Change | None:
    """`whole`: more of them is a change, too."""
    for new, old in zip(now, was, strict=False):
        if new.text != old.text:
            return Change(new.label, *_excerpts(old.text, new.text))
    if len(now) < len(was):
        return Change(f"{kind}: {was[len(now)].label} is gone", was[len(now)].text[:EXCERPT])
    if whole and len(now) > len(was):
        return Change(f"{kind}: {now[len(was)].label} is new", "", now[len(was)].text[:EXCERPT])
    return None


def _excerpts(was: str, now: str) -> tuple[str, str]:
    """A few characters on both sides of where they part."""
    at = next((i for i, pair in enumerate(zip(was, now, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, at - EXCERPT // 3)
    return was[start : start + EXCERPT], now[start : start + EXCERPT]


def _parameter(now: Prompt, was: Prompt) -> Change | None:
    for name in sorted(now.parameters.keys() | was.parameters.keys()):
        old, new = was.parameters.get(name, ""), now.parameters.get(name, "")
        if old != new:
            return Change(f"the parameter {name}", *_excerpts(old, new))
    return None


def _marks(now: Prompt, was: Prompt) -> Change | None:
    """The messages are the same, but the marks do not lead to what is cached."""
    if not was.marks:
        return None
    if not now.marks:
        return Change("the cache marks: there are none any more")
    last = was.marks[-1]
    if not any(mark - LOOK_BACK <= last <= mark for mark in now.marks):
        label = now.segments[now.marks[-1]].label
        return Change(f"the cache marks: the last is at {label}, too far from what is cached")
    return None
