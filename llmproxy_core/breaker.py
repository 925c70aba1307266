"""Do not ask again and again what does not answer."""

import time
from collections.abc import Callable


class Breaker:
    """Closed: all may ask. After `failures` in a row it is open: nobody asks for `seconds`. Then
    one may try, and its outcome closes or opens it again, for twice as long, up to `longest`.
    """

    __slots__ = ("_clock", "_failed", "_failures", "_longest", "_pause", "_seconds", "_until")

    def __init__(
        self,
        failures: int,
        seconds: float,
        longest: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._seconds = self._pause = seconds
        self._longest = longest
        self._clock = clock
        self._failed = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return self._failed >= self._failures

    @property
    def wait(self) -> float:
        """Seconds until somebody may ask; 0: now."""
        return max(0.0, self._until - self._clock()) if self.is_open else 0.0

    def may_ask(self) -> bool:
        """Whoever is told yes must tell how it went; of those who try again there is but one."""
        if not self.is_open:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def succeeded(self) -> None:
        self._failed = 0
        self._pause = self._seconds

    def failed(self, wait: float = 0.0) -> None:
        """`wait`: seconds that the other side asked for; it opens at once for at least so long."""
        was_open = self.is_open
        self._failed = self._failures if wait else self._failed + 1
        if self.is_open:
            if was_open:
                self._pause = min(2 * self._pause, self._longest)
            self._until = self._clock() + max(wait, self._pause)
