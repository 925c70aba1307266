"""An end to code that does not come to one: after a time of CPU it is interrupted, wherever it is.

By a signal, so only in the main thread and not on Windows; elsewhere nothing is interrupted. Code
in C is interrupted when it is back in Python.
"""

import signal
import threading
from types import FrameType
from typing import Self

AGAIN = 0.05
"""Seconds of CPU between two interruptions."""


class TookTooLong(Exception):
    """It was interrupted."""


class Bell:
    """`with Bell() as bell: ...`: the handler of the signal, for deadlines that follow each other.

    To set it takes longer than to look through a short text.
    """

    __slots__ = ("_able", "_armed", "_before")

    def __init__(self) -> None:
        self._armed = False
        self._able = (
            hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        )

    def __enter__(self) -> Self:
        if self._able:
            self._before = signal.signal(signal.SIGVTALRM, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        if self._able:
            signal.signal(signal.SIGVTALRM, self._before)

    def ring_after(self, seconds: float) -> None:
        if self._able:
            self._armed = True
            # again and again: an exception may be swallowed where it is raised, e.g. in a finalizer
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)

    def be_silent(self) -> None:
        self._armed = False
        if self._able:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            raise TookTooLong


class Deadline:
    """`with Deadline(0.25, bell): ...` raises TookTooLong within, after so many seconds of CPU, which
    a busy machine does not make fewer."""

    __slots__ = ("_bell", "seconds")

    def __init__(self, seconds: float, bell: Bell) -> None:
        self.seconds = seconds
        self._bell = bell

    def __enter__(self) -> None:
        self._bell.ring_after(self.seconds)

    def __exit__(self, *_: object) -> None:
        self._bell.be_silent()
