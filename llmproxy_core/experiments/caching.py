"""What a change does to prompt caches: tokens that should be read from them, and that were.

A provider reads the longest beginning of a request (tools, system, messages) that it has cached.
Where a change is the same bytes on every turn, that is all that the turn before left; on the first
changed turn of a conversation that was cached without the change, only what stands before the first
edit (`kept`, as `transformations.cached_prefix_kept` tells) can be read. Sources of the steps and
the least: see `conversations.cache`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llmproxy_core.conversations.cache import IMPLICIT, LEAST, STEP
from llmproxy_core.model import Json, Usage

type Known = Literal["read", "missed", "untold"]
ALLOWED = 0.9
"""Of the predicted tokens: who reads as many has not missed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A call of a conversation and the usage of the one before it (None: it is the first).

    `kept`: the share of the cacheable prefix that stands before the first edit which the turn
    before did not have, 0 to 1; 1 where it had the same edits.
    """

    usage: Usage
    before: Usage | None
    provider: str
    kept: float = 1.0


@dataclass(slots=True)
class CacheAccount:
    """Sums of an arm, in tokens. `untouched`: what would have been read without any edit.

    Only turns whose usage tells its cached tokens count; others are in `untold`.
    """

    turns: int = 0
    untold: int = 0
    input_tokens: int = 0
    untouched: int = 0
    predicted: int = 0
    observed: int = 0
    missed: int = 0
    """Turns that read fewer than `ALLOWED` of what was predicted."""

    def add(self, turn: Turn) -> Known:
        """Was what was predicted read?"""
        usage = turn.usage
        if usage.input_tokens is None or usage.cached_tokens is None:
            self.untold += 1
            return "untold"
        expected = predicted(turn)
        self.turns += 1
        self.input_tokens += usage.input_tokens
        self.untouched += _left(turn)
        self.predicted += expected
        self.observed += usage.cached_tokens
        missed = usage.cached_tokens < ALLOWED * expected - STEP
        self.missed += missed
        return "missed" if missed else "read"

    @property
    def kept(self) -> float | None:
        """Cached tokens read, of those that were to be read without edits; None: there were none."""
        return self.observed / self.untouched if self.untouched else None

    @property
    def accuracy(self) -> float | None:
        """Cached tokens read, of those predicted."""
        return self.observed / self.predicted if self.predicted else None

    def lost_usd(self, input_usd: Decimal, cached_usd: Decimal) -> Decimal:
        """What was not read cost more, at the prices of a token in USD; negative: more was read."""
        return (input_usd - cached_usd) * (self.untouched - self.observed)

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


def predicted(turn: Turn) -> int:
    """Cached tokens that a turn should read."""
    left = _left(turn)
    if turn.kept >= 1:
        return left
    tokens = int(left * max(0.0, turn.kept)) // STEP * STEP
    return tokens if tokens >= LEAST else 0


def _left(turn: Turn) -> int:
    """Tokens that the turn before left in a cache, as far as this one can read them."""
    before = turn.before
    if before is None:
        return 0
    told = (before.cached_tokens or 0) + (before.cache_write_tokens or 0)
    tokens = before.input_tokens or 0
    if not before.cache_write_tokens and turn.provider in IMPLICIT and tokens >= LEAST:
        told = max(told, tokens // STEP * STEP)
    return min(told, turn.usage.input_tokens or 0)
