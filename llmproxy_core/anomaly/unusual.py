"""Calls that are unlike the ones before: too many, too dear, too slow, too often failed, at an odd
hour, with a new tool, model or host; and agents that call the same thing again and again.

Incremental and bounded: a baseline is about 1 KB for each namespace, client and model,
kept by the caller (`Unusual.dumped`). It runs in the worker. Nothing is said of a baseline before
it has seen COLD calls.
"""

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from llmproxy_core.anomaly.finding import Finding, Severity
from llmproxy_core.anomaly.usual.baseline import Baseline
from llmproxy_core.anomaly.usual.call import Call
from llmproxy_core.anomaly.usual.loops import Loops

__all__ = ["Call", "Unusual"]

NAME = "unusual_use"
MOST = 20_000
"""Baselines; the ones not used for the longest time go first."""
MOST_SESSIONS = 5000

type Key = tuple[str, str, str]


class Kept(msgspec.Struct):
    """What goes to the disk."""

    baselines: list[tuple[Key, Baseline]]
    loops: list[tuple[str, Loops]]


class Unusual:
    """Everything that is known of how calls usually are; the caller feeds it every call, once."""

    __slots__ = ("_baselines", "_loops", "most", "most_sessions")

    def __init__(self, most: int = MOST, most_sessions: int = MOST_SESSIONS) -> None:
        self._baselines: OrderedDict[Key, Baseline] = OrderedDict()
        self._loops: OrderedDict[str, Loops] = OrderedDict()
        self.most = most
        self.most_sessions = most_sessions

    def judge(self, call: Call) -> list[Finding]:
        """What is unusual in a call; then it is part of what is usual."""
        found = dict[str, Finding]()
        for key in _keys(call):
            for aspect, score, severity, said in self._baseline(key).judge(call):
                if aspect not in found or score > found[aspect].score:
                    found[aspect] = _finding(score, severity, f"{said} ({_whose(key)}).")
        return [*found.values(), *self._repeated(call)]

    def dumped(self) -> bytes:
        kept = Kept(list(self._baselines.items()), list(self._loops.items()))
        return msgspec.msgpack.encode(kept)

    def load(self, data: bytes) -> None:
        """Takes over what `dumped` gave. Raises msgspec.MsgspecError."""
        kept = msgspec.msgpack.decode(data, type=Kept)
        self._baselines = OrderedDict(kept.baselines[-self.most :])
        self._loops = OrderedDict(kept.loops[-self.most_sessions :])

    def _baseline(self, key: Key) -> Baseline:
        baseline = self._baselines.get(key)
        if baseline is None:
            baseline = self._baselines[key] = Baseline()
            if len(self._baselines) > self.most:
                self._baselines.popitem(last=False)
        self._baselines.move_to_end(key)
        return baseline

    def _repeated(self, call: Call) -> Iterator[Finding]:
        if not call.tool_calls:
            return
        session = f"{call.namespace}\0{call.session or call.client}"
        loops = self._loops.get(session)
        if loops is None:
            loops = self._loops[session] = Loops()
            if len(self._loops) > self.most_sessions:
                self._loops.popitem(last=False)
        self._loops.move_to_end(session)
        for tool, times in loops.seen(call.tool_calls):
            said = f"{tool[:60]} was called {times} times with the same arguments."
            yield _finding(0.8 if times > 8 else 0.65, "medium", said)


def _keys(call: Call) -> list[Key]:
    return [
        (call.namespace, "", ""),
        (call.namespace, call.client, ""),
        (call.namespace, call.client, call.model),
    ]


def _whose(key: Key) -> str:
    namespace, client, model = key
    words = [word[:60] for word in (client, model) if word]
    return ", ".join(words) if words else f"namespace {namespace[:60]}"


def _finding(score: float, severity: Severity, said: str) -> Finding:
    return Finding(NAME, "unusual_use", score, severity, 0, 0, said)
