"""What a provider's prompt cache would have done for calls, had they been marked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from llmproxy_core.enhancements.built_in.cache_terms import LIFE, READABLE
from llmproxy_core.enhancements.built_in.weights import usd
from llmproxy_core.enhancements.evidence import Evidence, Observed


@dataclass(frozen=True, slots=True)
class Replayed:
    """USD of the calls as they were, and as they would have been; `priced`: calls whose price is
    known, the only ones in the sums."""

    before: Decimal
    after: Decimal
    priced: int


@dataclass(slots=True)
class _Entry:
    readable: datetime
    used: datetime
    tokens: int


class _Cache:
    """Prefixes by what they are; each lives for LIFE after its last use."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, ...], _Entry] = {}

    def take(self, key: tuple[str, ...], now: datetime) -> int:
        """Tokens that are read; 0 where they are not there (yet)."""
        entry = self._entries.get(key)
        if entry is None or not entry.readable <= now <= entry.used + LIFE:
            return 0
        entry.used = now
        return entry.tokens

    def put(self, key: tuple[str, ...], now: datetime, tokens: int) -> None:
        entry = self._entries.get(key)
        if entry is None or now > entry.used + LIFE or tokens != entry.tokens:
            self._entries[key] = _Entry(now + READABLE, now, tokens)
        else:
            entry.used = now


def replayed(evidence: Evidence, calls: Sequence[Observed], follow: bool) -> Replayed:
    """With a mark behind the head of each call, and (`follow`) one on its last message."""
    cache = _Cache()
    before, after, priced = Decimal(0), Decimal(0), 0
    for call in sorted(calls, key=lambda one: one.at):
        read, written = _used(cache, call, follow)
        marked = replace(call.usage, cached_tokens=read, cache_write_tokens=written)
        was, would = usd(evidence, call, call.usage), usd(evidence, call, marked)
        if was is not None and would is not None:
            before, after, priced = before + was, after + would, priced + 1
    return Replayed(before, after, priced)


def _used(cache: _Cache, call: Observed, follow: bool) -> tuple[int, int]:
    """Tokens read and tokens written."""
    tokens = call.usage.input_tokens or 0
    head = min(call.prefix_tokens, tokens)
    owner = (call.provider, call.model, call.owner)
    read = min(cache.take((*owner, "head", call.prefix), call.at), head)
    cache.put((*owner, "head", call.prefix), call.at, call.prefix_tokens)
    if not follow or not call.conversation:
        return read, head - read
    sent = cache.take((*owner, "end", call.conversation), call.at)
    if sent <= tokens:
        read = max(read, sent)
    cache.put((*owner, "end", call.conversation), call.at, tokens)
    return read, tokens - read
