"""What takes longer than storing calls may wait for: experiments are judged, suggestions made.

In a thread of its own with connections of its own. All that it comes to is in the store; what is under
way when a worker ends is taken up by the next one.
"""

import logging
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.plural import counted
from llmproxy_core.store import enhancement_changes
from llmproxy_core.store.changing import writing
from llmproxy_core.store.database import Database
from llmproxy_core.worker.counsel import Counsel
from llmproxy_core.worker.experimenting import Experimenting
from llmproxy_core.worker.suggesting import Suggesting

ROUND_SECONDS = 2.0
SUGGEST_SECONDS = 10.0
"""Between looks at patterns where the last one found nothing to look at."""
PATIENCE = 5.0

logger = logging.getLogger(__name__)


class Studying:
    def __init__(self, settings: Config, counsel: Counsel) -> None:
        self._enabled = settings.learning.patterns
        self._counsel = counsel
        self._experimenting = Experimenting(settings.learning)
        self._suggesting = Suggesting(settings, counsel.about_pattern)
        self._suggest_at = 0.0
        self._stored_until = datetime.fromtimestamp(0, UTC)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, database: Database) -> None:
        """Safe to call again."""
        if self._enabled and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, args=[database], daemon=True)
            self._thread.start()

    def stored(self, until: datetime) -> None:
        """All that had happened by then is stored, with what was said of it: so far conversations may
        be judged."""
        self._stored_until = until

    def stop(self) -> None:
        """What is under way is given up."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def round(self, database: Database) -> bool:
        """All that is to be done now; is there more? Raises DatabaseUnavailable, StoreError."""
        judged = self._experimenting.round(database, self._stored_until)
        self._take_advice(database)
        looked = False
        if time.monotonic() >= self._suggest_at:
            looked = self._suggesting.round(database, self._stop.is_set)
            if not looked:
                self._suggest_at = time.monotonic() + SUGGEST_SECONDS
        return bool(judged) or looked

    def _run(self, database: Database) -> None:
        while not self._stop.is_set():
            try:
                more = self.round(database)
            except LlmproxyError as exc:
                logger.debug("experiments and suggestions wait: %s", exc)
                more = False
            except Exception:  # the next round may go well; calls are stored all the same
                logger.exception("experiments and suggestions: a round has failed")
                more = False
            self._stop.wait(0.1 if more else ROUND_SECONDS)

    def _take_advice(self, database: Database) -> None:
        for one in self._counsel.advised():
            advice = one.advice
            if not advice.is_answered:
                logger.info(f"advisor: pattern {one.pattern}: {advice.said}")
                self._suggesting.retry(one.pattern)
                continue
            new = self._suggesting.take(database, one.ns_id, one.pattern, advice.suggestions)
            said = [counted(new, "suggestion"), *(f"refused: {no.why}" for no in advice.refused)]
            with writing(database) as connection:
                enhancement_changes.note_asked(
                    connection, one.ns_id, UUID(one.pattern), advice.hash, "; ".join(said)
                )
