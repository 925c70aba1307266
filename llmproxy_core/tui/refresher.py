"""When a screen reads again: as soon as there is news, but never most of the time."""

import time
from collections.abc import Callable, Coroutine
from typing import Any

from textual.screen import Screen
from textual.worker import WorkType

TICK = 0.1
SHARE = 10
"""After a read it rests so many times as long as a read takes: some have no index."""
LONGEST = 5.0
"""Seconds it rests at most, where there is news."""
QUIET = 100
"""And so many times as long where nothing was heard."""


class Refresher:
    """Calls `read` when there is news, one call at a time. Without news, every `poll` seconds: others
    change things, too, and one that only reads is told less. 0: never.

    Nothing is read while another screen is shown.
    """

    def __init__(
        self, screen: Screen[Any], read: Callable[[], Coroutine[Any, Any, None]], poll: float = 0.0
    ) -> None:
        self._screen = screen
        self._read = read
        self._poll = poll
        self._stale = False
        self._reading = 0
        self._took = 0.0
        self._polls_at = 0.0
        self._rests_until = 0.0

    def start(self) -> None:
        """Once, when the screen is there: read, and go on reading."""
        self._screen.set_interval(TICK, self._look)
        self.again()

    def news(self) -> None:
        self._stale = True
        self._look()

    def again(self) -> None:
        """Read now; what is being read meanwhile is dropped, it shows what was before."""
        work: WorkType[None] = self._run
        self._screen.run_worker(work, group="refresh", exclusive=True)

    def drop(self) -> None:
        """What is being read is not wanted any more."""
        self._screen.workers.cancel_group(self._screen, "refresh")

    def _look(self) -> None:
        now = time.monotonic()
        wanted = self._stale or (self._poll and now >= self._polls_at)
        if wanted and not self._reading and now >= self._rests_until and self._is_seen:
            self.again()

    @property
    def _is_seen(self) -> bool:
        """Textual calls a screen current that is right below another one, too."""
        screen = self._screen
        return screen.is_current and (screen.app.screen is screen or screen.app.screen.is_modal)

    async def _run(self) -> None:
        self._stale, began = False, time.monotonic()
        self._reading += 1
        try:
            await self._read()
        finally:
            self._reading -= 1
            now = time.monotonic()
            # One slow read says little: the first one connects, and any may wait for the machine.
            takes, self._took = min(self._took, now - began), now - began
            self._rests_until = now + min(SHARE * takes, LONGEST)
            self._polls_at = now + max(self._poll, QUIET * takes)
