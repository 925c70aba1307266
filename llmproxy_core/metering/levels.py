"""How far the limits are used up, as each proxy of a home tells it once a second in a small file.

`{"at": ns since 1970, "levels": [[limit, kind, whose, used, allowed], ...]}`, the fullest first. The
file of a proxy that is gone is removed by the next one.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from llmproxy_core.home import Home, write_private
from llmproxy_core.limits import Level
from llmproxy_core.limits.call import Kind

TOLD = 200
"""The fullest."""


class Written(msgspec.Struct):
    at: int
    levels: list[tuple[str, Kind, str, float, float]]


class Levels:
    """Of this proxy."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file = home.levels.with_name(f"{home.levels.name}.{os.getpid()}")
        self._told: list[Level] | None = None

    def changed(self, levels: Iterable[Level]) -> bool:
        """Is there anything new to be told?"""
        told = fullest(levels)
        new, self._told = told != self._told, told
        return new

    def write(self) -> None:
        """Slow. Fails open: without it only `llmproxy limits` is worse off."""
        told = self._told or []
        levels = [(one.limit, one.kind, one.whose, one.used, one.allowed) for one in told]
        with suppress(OSError):
            write_private(self._file, msgspec.json.encode(Written(time.time_ns(), levels)))

    def sweep(self) -> None:
        """Remove what proxies have left that were killed."""
        for file in _files(self._home):
            if not _lives(file):
                file.unlink(missing_ok=True)

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


def read(home: Home) -> list[Level] | None:
    """What the proxies of a home tell; of calls under way all of them together. None: no proxy
    tells."""
    merged: dict[tuple[str, Kind, str], Level] = {}
    told = False
    for file in filter(_lives, _files(home)):
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            written = msgspec.json.decode(file.read_bytes(), type=Written)
            told = True
            for level in (Level(*one) for one in written.levels):
                key = level.limit, level.kind, level.whose
                merged[key] = _together(level, merged.get(key))
    return fullest(merged.values()) if told else None


def fullest(levels: Iterable[Level]) -> list[Level]:
    """Each once, the fullest first."""
    once = {(level.limit, level.kind, level.whose): level for level in levels}
    return sorted(once.values(), key=lambda one: (-one.used / one.allowed, one.limit, one.whose))[
        :TOLD
    ]


def _together(level: Level, other: Level | None) -> Level:
    """Calls under way are counted by each proxy, all else by all of them."""
    if other is None:
        return level
    used = other.used + level.used if level.kind == "concurrent" else max(other.used, level.used)
    return Level(level.limit, level.kind, level.whose, used, level.allowed)


def _files(home: Home) -> Iterator[Path]:
    return home.levels.parent.glob(f"{home.levels.name}.*")


def _lives(file: Path) -> bool:
    number = file.name.rpartition(".")[2]
    if not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # another user's
    return True
