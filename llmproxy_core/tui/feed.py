"""The thread between the store and the screens: it waits for changes and reads what changed.

There is one reader of notifications a process, whatever the number of screens. Bursts become one
update: while the screen is busy, or has been told less than `PACE` ago, changes are collected.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.notify import Change
from llmproxy_core.tui.source import Source

PACE = 0.025
"""Seconds between updates in a burst; a lone change is passed on at once."""
WAIT = 0.25
RETRY = 1.0
RATE_SECONDS = 10

type Link = Literal["connecting", "up", "down"]


@dataclass(slots=True)
class Update:
    """What changed since the last update. `flows` are as the store has them now."""

    flows: list[Flow] = field(default_factory=list)
    streamed: set[UUID] = field(default_factory=set)
    events: bool = False
    anomalies: bool = False
    approvals: bool = False
    learning: bool = False
    """Of patterns, suggestions, experiments or rules."""
    overflow: bool = False
    """More changed than was named: read the newest again."""


class Feed:
    """Runs from `start` to `stop`. `wake` is called, from the feed's thread, when there is news.

    The screen then calls `take`; `wake` is not called again before it did.
    """

    def __init__(self, source: Source, wake: Callable[[], object]) -> None:
        self.source = source
        self.link: Link = "connecting"
        self.problem = ""
        self._wake = wake
        self._pending: Update | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began: list[float] = []
        self._thread = threading.Thread(target=self._run, name="llmproxy-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; `join` waits for it."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout)

    def take(self) -> Update:
        """All that happened since the last call."""
        with self._lock:
            update, self._pending = self._pending, None
        return update or Update()

    def rate(self) -> float:
        """Calls that began, per second, over the last ten seconds."""
        now = time.monotonic()
        self._began = [at for at in self._began if now - at < RATE_SECONDS]
        return len(self._began) / RATE_SECONDS

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.source.open()
                self._say("up")
                self._put(Update(overflow=True, events=True))
                self._follow()
            except LlmproxyError as exc:
                self._say("down", str(exc))
            self._stop.wait(RETRY)
        self.source.close()

    def _follow(self) -> None:
        """Pass changes on until told to stop; raises LlmproxyError when the database is lost."""
        told = 0.0
        while not self._stop.is_set():
            change = self.source.wait(WAIT)
            if change is None:
                continue
            changes = [change]
            while (rest := told + PACE - time.monotonic()) > 0:
                if (more := self.source.wait(rest)) is not None:
                    changes.append(more)
            self._pass_on(changes)
            told = time.monotonic()

    def _pass_on(self, changes: list[Change]) -> None:
        update = Update()
        wanted: dict[UUID, None] = {}
        known: dict[UUID, Flow] = {}
        now = time.monotonic()
        for change in changes:
            self._began += [now] * len(change.started)
            wanted.update(dict.fromkeys((*change.started, *change.ended)))
            update.streamed.update(change.streamed)
            update.events |= bool(change.events)
            update.anomalies |= bool(change.anomalies)
            update.approvals |= bool(change.approvals)
            update.learning |= bool(change.learning)
            update.overflow |= change.overflow
            read = {flow.id: flow for flow in change.flows}
            for id in (*change.started, *change.ended):
                if id in read:
                    known[id] = read[id]
                else:
                    known.pop(id, None)  # it has changed since
        if unknown := [id for id in wanted if id not in known]:
            known.update((flow.id, flow) for flow in self.source.flows_by_id(unknown))
        update.flows = sorted(known.values(), key=lambda flow: flow.id, reverse=True)
        self._put(update)

    def _put(self, update: Update) -> None:
        with self._lock:
            pending = self._pending
            if pending is None:
                self._pending = update
            else:
                pending.flows += update.flows
                pending.streamed |= update.streamed
                pending.events |= update.events
                pending.anomalies |= update.anomalies
                pending.approvals |= update.approvals
                pending.learning |= update.learning
                pending.overflow |= update.overflow
        if pending is None:
            self._wake()

    def _say(self, link: Link, problem: str = "") -> None:
        if (link, problem) != (self.link, self.problem):
            self.link, self.problem = link, problem
            self._put(Update())
