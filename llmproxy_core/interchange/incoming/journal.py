"""What is imported, on its way into the spool: in a journal of its own, never ahead by much."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from llmproxy_core.config import Config
from llmproxy_core.errors import InterchangeError
from llmproxy_core.home import Home
from llmproxy_core.interchange.incoming.drain import Drain
from llmproxy_core.records import Whole
from llmproxy_core.spool import Limits, SpoolWriter, look

SEGMENT = 8 * 2**20
AHEAD = 64 * 2**20
"""Bytes that may wait for the worker."""
SHARE = 0.8
"""Of the spool's limits: what proxies see comes first, and must never be dropped for an import."""
LOOK_BYTES = 4 * 2**20
FULL_SECONDS, TELL_SECONDS = 120.0, 3.0


class ImportJournal:
    """Raises InterchangeError where the disk stays full: what was written before is stored."""

    def __init__(self, config: Config, home: Home, drain: Drain) -> None:
        self._limits = Limits(config.spool.max_bytes, config.spool.min_free_bytes)
        self._spool = home.spool
        self._drain = drain
        self._writer = SpoolWriter(home.spool, SEGMENT)
        self._since_look = LOOK_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def append(self, record: Whole, bodies: Sequence[bytes]) -> None:
        self._since_look += sum(map(len, bodies)) + 2000
        if self._since_look >= LOOK_BYTES:
            self._since_look = 0
            self._drain.wait(self._writer.folder, AHEAD)
            self._wait_for_room()
        if not self._writer.append(record, bodies):
            self._writer.lost.clear()  # not lost: the file still has it, and we say so
            raise InterchangeError(
                f"{self._spool}: cannot be written, the disk is full or the exchange over 2 GiB. "
                "What was read before is stored; import the file again to go on."
            )

    def wake(self) -> None:
        self._writer.wake()

    def finish(self) -> None:
        """Wait until all of it is stored."""
        self._writer.close()
        self._writer.wake()
        self._drain.wait(self._writer.folder)

    def _wait_for_room(self) -> None:
        begun_at = time.monotonic()
        told = False
        while look(self._spool).pressure(self._limits)[0] > SHARE:
            waited = time.monotonic() - begun_at
            if waited > FULL_SECONDS:
                raise InterchangeError(
                    f"{self._spool}: too full for an import (spool.max_bytes, "
                    "spool.min_free_bytes). What was read before is stored; make room, and import "
                    "the file again to go on."
                )
            if waited > TELL_SECONDS and not told:
                told = True
                self._drain.tell(f"{self._spool} is nearly full; waiting for room")
            time.sleep(0.1)
