"""A file that is read again when it changes; what it said last stays, should it become unreadable."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from llmproxy_core.errors import ConfigError

SETTLED_NS = 100_000_000
"""A file that changed more recently is read the next time."""

type State = tuple[int, int, int] | None
"""When it was changed (ns), its bytes and its number; None: there is none."""


class Watched[T]:
    """`value`: what the file says; at first, what it is taken to say until it is looked at.

    `reader` raises ConfigError. Without a `path` nothing ever changes.
    """

    def __init__(self, path: Path | None, reader: Callable[[Path], T], value: T) -> None:
        self.value = value
        self._path = path
        self._reader = reader
        self._state: State = None

    def refresh(self, complain: Callable[[str], None]) -> bool:
        """Look at the file, and read it if it has changed; does it say anything new?

        `complain` hears what is wrong with it, once a change.
        """
        if self._path is None or (state := _state(self._path)) == self._state:
            return False
        if state and 0 <= time.time_ns() - state[0] < SETTLED_NS:
            return False  # an editor may be at it: what is half written can be valid, too
        self._state = state
        try:
            value = self._reader(self._path)
        except ConfigError as exc:
            # an expression comes with a line below it that marks what is wrong
            gap = "\n" if "\n" in str(exc) else ". "
            complain(f"{exc}{gap}What it said before stays in force")
            return False
        before, self.value = self.value, value
        return value != before


def _state(path: Path) -> State:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
