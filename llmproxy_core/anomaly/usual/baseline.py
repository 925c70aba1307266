"""How the calls of one namespace, client or model usually are."""

from collections.abc import Iterator

import msgspec

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.anomaly.usual.call import Call
from llmproxy_core.anomaly.usual.changes import Failures, Level, Rate

SETTLED = 300
"""Calls without a new name before a new one is worth telling."""
MOST_NAMES = 300
HOURS_KNOWN = 1000
"""Calls before an hour can be odd."""

type Odd = tuple[str, float, Severity, str]
"""The aspect, a score, a severity and what to say."""


class Names(msgspec.Struct):
    """Names seen; `since`: calls since the last new one."""

    known: list[str] = msgspec.field(default_factory=list)
    since: int = 0

    def new(self, names: tuple[str, ...]) -> list[str]:
        settled = self.since >= SETTLED and bool(self.known)
        found = [name for name in dict.fromkeys(names[:100]) if name and name not in self.known]
        self.known = [*self.known, *found][-MOST_NAMES:]
        self.since = 0 if found else self.since + 1
        return found if settled else []


class Baseline(msgspec.Struct):
    """A few kilobytes at most."""

    n: int = 0
    tokens: Level = msgspec.field(default_factory=Level)
    usd: Level = msgspec.field(default_factory=Level)
    ms: Level = msgspec.field(default_factory=Level)
    rate: Rate = msgspec.field(default_factory=Rate)
    failures: Failures = msgspec.field(default_factory=Failures)
    hours: list[int] = msgspec.field(default_factory=lambda: [0] * 24)
    tools: Names = msgspec.field(default_factory=Names)
    models: Names = msgspec.field(default_factory=Names)
    hosts: Names = msgspec.field(default_factory=Names)

    def judge(self, call: Call) -> Iterator[Odd]:
        """What is odd in a call; then it counts as seen. To be read to the end."""
        self.n += 1
        yield from self._levels(call)
        times = self.rate.times(call.at)
        if times is not None:
            yield "rate", 0.7, "high", f"Calls come {times:.1f} times as fast as usual"
        if self.failures.alarm(call.failed):
            yield "errors", 0.6, "medium", "Calls fail far more often than usual"
        yield from self._names(call)
        yield from self._hour(call.hour % 24)

    def _levels(self, call: Call) -> Iterator[Odd]:
        for aspect, level, value, score, severity, said in self._measured(call):
            times = level.times(value) if value is not None else None
            if times is not None:
                yield aspect, score, severity, said.format(f"{times:.1f} times")

    def _measured(
        self, call: Call
    ) -> tuple[tuple[str, Level, float | None, float, Severity, str], ...]:
        return (
            ("cost", self.usd, call.usd, 0.75, "high", "Calls cost {} as much as usual"),
            ("tokens", self.tokens, call.tokens, 0.6, "medium", "Calls have {} the usual tokens"),
            ("latency", self.ms, call.ms, 0.4, "medium", "Answers take {} as long as usual"),
        )

    def _names(self, call: Call) -> Iterator[Odd]:
        for aspect, names, now in (
            ("tool", self.tools, call.tools),
            ("model", self.models, (call.model,)),
            ("host", self.hosts, call.hosts),
        ):
            for name in names.new(now):
                yield f"new {aspect}", 0.3, "low", f"The {aspect} {name[:60]} was never seen before"

    def _hour(self, hour: int) -> Iterator[Odd]:
        around = self.hours[hour - 1] + self.hours[hour] + self.hours[(hour + 1) % 24]
        self.hours[hour] += 1
        if self.n > HOURS_KNOWN and around == 0:
            yield "hour", 0.3, "low", f"There were never calls at {hour} o'clock before"
