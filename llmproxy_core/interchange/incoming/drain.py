"""A worker that stores what is imported, and the wait until it has.

It is a worker like any other: where the home has one already, that one does the work, and ours
waits for its turn. When we end, however we end, it stores what is left and ends, too.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from llmproxy_core.config import Config
from llmproxy_core.errors import InterchangeError
from llmproxy_core.home import Home
from llmproxy_core.spool import START, SpoolReader

LOOK_SECONDS = 0.02
LONGEST_LOOK = 0.25
TELL_SECONDS = 10.0
STALL_SECONDS = 300.0
END_SECONDS = 15.0
WAITS = "What was read waits in the spool; it is stored as soon as a worker can."


class Drain:
    """`wait` until the journal of a folder is down to so many bytes, or gone.

    `tell`: what to do with a line for the person who waits.
    """

    def __init__(self, config: Config, home: Home, tell: Callable[[str], None]) -> None:
        self._home = home
        self.tell = tell
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        environment = os.environ | {"LLMPROXY_HOME": str(home.path)}
        if config.source:
            environment["LLMPROXY_CONFIG"] = str(config.source)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llmproxy_core.worker", "--child"],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; it ends after us
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            if kind is None:
                self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            pass  # the embedded Postgres takes its time; all is stored
        finally:
            self._log.close()

    def wait(self, folder: Path, allowed: int = -1) -> None:
        """Until at most `allowed` bytes wait there; -1: until the whole journal is stored.

        Raises:
            InterchangeError: nothing moves, or the worker cannot do its work.
        """
        moved_at = told_at = time.monotonic()
        before, pause = -1, LOOK_SECONDS
        while (left := _backlog(folder)) > allowed:
            now = time.monotonic()
            if left != before:
                before, moved_at, pause = left, now, LOOK_SECONDS
            if now - moved_at > STALL_SECONDS:
                raise InterchangeError(
                    f"nothing has been stored for {now - moved_at:.0f} s. {WAITS}"
                )
            if now - max(moved_at, told_at) > TELL_SECONDS:
                told_at = now
                self.tell(f"waiting for the worker: {left:,} bytes are not stored yet")
            self._check()
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_LOOK)

    def _check(self) -> None:
        status = self._process.poll()
        if not status:
            return
        self._log.seek(0)
        last = self._log.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise InterchangeError(f"the worker ended: {last or f'exit status {status}'}. {WAITS}")


def _backlog(folder: Path) -> int:
    """Bytes of a journal that are not removed; -1: it is gone."""
    if not folder.exists():
        return -1
    with suppress(FileNotFoundError):
        return SpoolReader(folder).backlog(START)
    return 0
