"""What the worker waits for: records, the end of its proxy, a signal to stop."""

import contextlib
import os
import select
import signal
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from llmproxy_core.spool import Wake

LOOK_SECONDS = 0.25
"""How often to look without being woken: for a wake-up that was lost, or a proxy that died."""


class Watch:
    """`stopped`: SIGTERM or SIGINT came. `ended_at`: when standard input ended (monotonic, s).

    Signals are only watched in the main thread.
    """

    def __init__(self, spool: Path, stdin: int | None = None) -> None:
        self.stopped = False
        self.ended_at: float | None = None
        self._stdin = stdin
        self._wake = Wake(spool)
        self._signal, self._signalled = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._handlers: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._wakeup = signal.set_wakeup_fd(self._signalled, warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT):
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._handlers[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._handlers:
            signal.set_wakeup_fd(self._wakeup)
        os.close(self._signal)
        os.close(self._signalled)
        self._wake.close()

    @property
    def ending(self) -> bool:
        return self.stopped or self.ended_at is not None

    def wait(self, seconds: float = LOOK_SECONDS) -> None:
        """Until something can be read, or the time is over."""
        self._select(seconds, [self._wake.descriptor] if self._wake.descriptor >= 0 else [])
        self._wake.drain()

    def heed(self) -> None:
        """What has called until now is answered by looking at the journals: forget that it has."""
        self._wake.drain()

    @property
    def called(self) -> bool:
        """Has anybody called since?"""
        descriptor = self._wake.descriptor
        return descriptor >= 0 and bool(select.select([descriptor], [], [], 0)[0])

    def pause(self, seconds: float) -> None:
        """The time, cut short only by what ends the worker."""
        until = time.monotonic() + seconds
        while not self.stopped and (left := until - time.monotonic()) > 0:
            ended = self.ended_at
            self._select(left, [])
            if self.ended_at != ended:
                return

    def _select(self, seconds: float, descriptors: list[int]) -> None:
        if self._stdin is not None and self.ended_at is None:
            descriptors = [*descriptors, self._stdin]
        found, _, _ = select.select([self._signal, *descriptors], [], [], seconds)
        if self._signal in found:
            with contextlib.suppress(BlockingIOError):
                os.read(self._signal, 1024)
        if self._stdin is not None and self._stdin in found and not self._more():
            self.ended_at = time.monotonic()

    def _more(self) -> bool:
        """Standard input says nothing; that it ends is what counts."""
        try:
            return bool(os.read(self._stdin or 0, 4096))
        except OSError:
            return False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
