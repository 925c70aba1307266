"""An end to code that does not come to one: after a time of CPU it is interrupted, wherever it is.

By a signal, so only in the main thread and not on Windows; elsewhere nothing is interrupted. Code
in C is interrupted when it is back in Python.
"""

import signal
import threading
from types import FrameType, TracebackType

AGAIN = 0.05
"""Seconds of CPU between two interruptions."""


class TookTooLong(Exception):
    """It was interrupted."""


class Deadline:
    """`with Deadline(0.25): ...` raises TookTooLong within, after so many seconds of CPU, which a
    busy machine does not make fewer."""

    __slots__ = ("_able", "_armed", "_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed = False
        self._able = (
            hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        )

    def __enter__(self) -> None:
        if self._able:
            self._armed = True
            self._before = signal.signal(signal.SIGVTALRM, self._ring)
            # again and again: an exception may be swallowed where it is raised, e.g. in a finalizer
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, AGAIN)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._armed = False
        if self._able:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, self._before)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            raise TookTooLong
