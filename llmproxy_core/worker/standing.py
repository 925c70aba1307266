"""What is said of calls that are over, as long as later ones may say more; and what that adds to the
sums of their patterns."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.learning_rows import PatternSum, SignalRow
from llmproxy_core.success.rate import LEAST, verdict
from llmproxy_core.success.signal import Signal
from llmproxy_core.worker.lesson import Took
from llmproxy_core.worker.moments import moment

REMEMBERED = 20_000
"""Calls: about 10 MB for twice as many. Of others, the store is asked."""
SILENT: frozenset[str] = frozenset()
"""Signals that are not stored where they are good: that there is an answer says the same."""


@dataclass(frozen=True, slots=True)
class Account:
    """`bad`: names of signals that count, and say so; none where a person says that it is good."""

    judged: bool = False
    good: bool = False
    bad: frozenset[str] = frozenset()

    @classmethod
    def of(cls, signals: Iterable[Signal], counting: Collection[str]) -> "Account":
        counted = [one for one in signals if one.weight >= LEAST and one.name in counting]
        if not counted:
            return cls()
        if verdict(counted) == "good":
            return cls(judged=True, good=True)
        return cls(judged=True, bad=frozenset(one.name for one in counted if one.verdict == "bad"))


@dataclass(slots=True)
class Standing:
    """`told`: in the order of time. `patterns`: to whose sums it has been added."""

    ns_id: int
    took: Took
    told: list[Signal] = field(default_factory=list)
    patterns: tuple[UUID, ...] = ()


class Standings:
    """Of the calls of late. Not thread-safe."""

    def __init__(self, counting: Collection[str]) -> None:
        self._counting = frozenset(counting)
        self._known: Recent[UUID, Standing] = Recent(REMEMBERED)

    def begin(self, call: UUID, standing: Standing) -> None:
        self._known[call] = standing

    def get(self, call: UUID) -> Standing | None:
        return self._known.get(call)

    def learnt(
        self, call: UUID, standing: Standing, patterns: tuple[UUID, ...]
    ) -> list[PatternSum]:
        """The patterns of a call are known now: all that it adds to them."""
        fresh = [one for one in patterns if one not in standing.patterns]
        standing.patterns += tuple(fresh)
        account, took = Account.of(standing.told, self._counting), standing.took
        return [
            PatternSum(
                standing.ns_id,
                pattern,
                took.day,
                took.model,
                calls=1,
                judged=int(account.judged),
                good=int(account.good),
                input_tokens=took.input_tokens,
                output_tokens=took.output_tokens,
                cached_tokens=took.cached_tokens,
                cost_usd=took.cost_usd,
                duration_ms=took.duration_ms,
                bad=dict.fromkeys(account.bad, 1),
                call=call,
            )
            for pattern in fresh
        ]

    def heard(self, standing: Standing, signal: Signal) -> list[PatternSum]:
        """A later signal about a call: what it changes."""
        before = Account.of(standing.told, self._counting)
        standing.told = [
            one for one in standing.told if (one.name, one.by) != (signal.name, signal.by)
        ]
        standing.told.append(signal)
        after = Account.of(standing.told, self._counting)
        if after == before:
            return []
        took = standing.took
        return [
            PatternSum(
                standing.ns_id,
                pattern,
                took.day,
                took.model,
                judged=after.judged - before.judged,
                good=after.good - before.good,
                bad=dict.fromkeys(after.bad - before.bad, 1)
                | dict.fromkeys(before.bad - after.bad, -1),
                call=signal.by,
            )
            for pattern in standing.patterns
        ]


def rows(ns_id: int, at: int, signals: Iterable[Signal]) -> Iterator[SignalRow]:
    """As they are stored. `at`: ns since 1970, of the call that tells them."""
    for one in signals:
        if one.verdict == "good" and one.name in SILENT:
            continue
        yield SignalRow(
            ns_id, one.request, one.name, one.source, one.verdict, one.weight, one.why,
            moment(at), one.by,
        )  # fmt: skip
