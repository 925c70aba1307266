"""A time that never goes backwards, whatever becomes of the machine's clock."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since 1970. Where the machine's clock is set back, time goes on from where it was.

    The monotonic clock alone would not do: it stands still while the machine sleeps.
    """

    __slots__ = ("_now", "_steady", "_stood", "_wall")

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._now = wall()
        self._stood = steady()

    def now(self) -> float:
        stood = self._steady()
        self._now = max(self._wall(), self._now + stood - self._stood)
        self._stood = stood
        return self._now
