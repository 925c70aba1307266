"""What the worker does once an hour, in a thread beside storing; Postgres does the work."""

import logging
import threading
import time

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.plural import counted
from llmproxy_core.store.database import Database
from llmproxy_core.store.upkeep import Upkeep

FIRST = 30.0
"""Seconds from the start: what waits in the spool comes first."""
EVERY = 3600.0
PATIENCE = 10.0

logger = logging.getLogger(__name__)


class Housekeeping:
    """`days`: how long calls are kept in namespaces that say nothing else; 0: for ever."""

    def __init__(self, days: int, first: float = FIRST, every: float = EVERY) -> None:
        self._days = days
        self._every = every
        self._due_at = time.monotonic() + first
        self._upkeep: Upkeep | None = None
        self._thread: threading.Thread | None = None
        self._removed = threading.Event()

    def look(self, database: Database) -> bool:
        """Begin if it is time. True if something was removed since the last look."""
        if time.monotonic() >= self._due_at and not self._is_busy():
            self._due_at = time.monotonic() + self._every
            self._upkeep = Upkeep(database, self._days)
            self._thread = threading.Thread(target=self._work, args=[self._upkeep], daemon=True)
            self._thread.start()
        removed = self._removed.is_set()
        if removed:
            self._removed.clear()
        return removed

    def stop(self) -> None:
        """Give up what is under way: it is taken up another time."""
        if self._thread is not None and self._upkeep is not None:
            self._upkeep.cancel()
            self._thread.join(PATIENCE)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _work(self, upkeep: Upkeep) -> None:
        try:
            removed = upkeep.run()
        except LlmproxyError as exc:
            logger.warning(f"housekeeping is put off: {exc}")
            return
        for week in removed:
            self._removed.set()
            logger.info(
                f"retention: {counted(sum(week.requests.values()), 'call')} of {week.week} removed"
            )
