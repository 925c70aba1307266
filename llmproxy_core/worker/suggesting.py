"""Suggestions for patterns: from the data alone, and by the advisor where that is wanted."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat

from llmproxy_core.config import Config
from llmproxy_core.enhancements import built_in, candidate, tried
from llmproxy_core.enhancements.advised import due
from llmproxy_core.enhancements.enhancement import Enhancement, Suggestion
from llmproxy_core.enhancements.evidence import Evidence
from llmproxy_core.enhancements.feasible import check
from llmproxy_core.model import Json
from llmproxy_core.pricing import OwnPrices
from llmproxy_core.store import enhancement_changes, enhancements, pattern_changes, pattern_evidence
from llmproxy_core.store.changing import writing
from llmproxy_core.store.database import Database
from llmproxy_core.store.pattern_evidence import Busy
from llmproxy_core.worker.dossier import evidence

MORE = 1.5
"""As many calls as there were at the last look, so that it is worth another one."""
AGAIN = 3600.0
"""Seconds after which it is, though there are few more."""
RETRY = 600.0
"""The same where the advisor had no answer."""

logger = logging.getLogger(__name__)

type Ask = Callable[[int, Evidence, Sequence[Enhancement]], bool]
"""Ask the advisor: False if that cannot be done now."""


@dataclass(slots=True)
class Look:
    """The last one at a pattern: how many calls it had (s, monotonic)."""

    calls: int
    at: float


class Suggesting:
    """One pattern a round. Not thread-safe. Raises DatabaseUnavailable, StoreError."""

    def __init__(self, settings: Config, ask: Ask | None = None) -> None:
        self._learning = settings.learning
        self._prices = OwnPrices(settings.prices)
        self._ask = ask if settings.advisor.enabled else None
        self._looks: dict[UUID, Look] = {}

    def round(self, database: Database, stop: Callable[[], bool] = lambda: False) -> bool:
        """Look at the next pattern that is worth it; False: there is none."""
        with database.connect() as connection:
            patterns = pattern_evidence.busy(connection, self._learning.min_calls)
        found = next((one for one in patterns if self._is_worth(one)), None)
        if found is None:
            return False
        self._looks[found.id] = Look(found.calls, time.monotonic())
        with database.connect() as connection:
            known = evidence(connection, found, self._learning.counting, self._prices, stop)
            past = [one.one for one in enhancements.of_pattern(connection, found.ns_id, found.id)]
            asked = enhancements.asked(connection, found.ns_id, found.id)
        if stop() or not known.calls:
            return True
        self._suggest(database, found, known, past)
        self._ask_advisor(database, found, known, past, asked)
        return True

    def take(
        self, database: Database, ns_id: int, pattern: str, found: Sequence[Suggestion]
    ) -> int:
        """Store what the advisor suggests; how many of it are new."""
        return sum(self._add(database, ns_id, pattern, one, {}) for one in found)

    def retry(self, pattern: str) -> None:
        """The advisor had no answer: look again, but not at once."""
        if look := self._looks.get(UUID(pattern)):
            look.at = time.monotonic() - AGAIN + RETRY

    def _is_worth(self, one: Busy) -> bool:
        look = self._looks.get(one.id)
        if self._learning.suggest == "off" and one.wanted_at is None:
            return False
        if look is None or one.wanted_at is not None:
            return True
        if one.calls >= MORE * look.calls:
            return True
        return one.calls > look.calls and time.monotonic() - look.at >= AGAIN

    def _suggest(
        self, database: Database, pattern: Busy, known: Evidence, past: Sequence[Enhancement]
    ) -> None:
        if self._learning.suggest == "off":
            return
        found = due.success(known, self._learning.counting)
        if found.calls < self._learning.min_calls:
            return
        above = self._learning.above_confidence
        chosen, refused = built_in(known, check, tried(past), above)
        facts: dict[str, Json] = {"calls": found.calls, "good": found.good, **known.failing}
        for one in chosen:
            self._add(database, pattern.ns_id, str(pattern.id), one, facts)
        for no in refused:
            logger.debug(
                f"{pattern.name}: {no.suggestion.source_engine} is not suggested: {no.why}"
            )

    def _ask_advisor(
        self,
        database: Database,
        pattern: Busy,
        known: Evidence,
        past: Sequence[Enhancement],
        asked: set[str],
    ) -> None:
        wanted = pattern.wanted_at is not None
        if self._ask is None or (self._learning.suggest != "advisor" and not wanted):
            why = "the advisor is not asked (learning.suggest, advisor.enabled)"
        else:
            why = due.not_due(
                known,
                () if wanted else asked,
                self._learning.counting,
                self._learning.success_below if not wanted else 1.01,
                self._learning.min_calls if not wanted else 1,
            ) or ("" if self._ask(pattern.ns_id, known, past) else "the advisor is busy")
        if why:
            logger.debug(f"{pattern.name}: {why}")
        if wanted:
            with writing(database) as connection:
                pattern_changes.was_asked(connection, pattern.ns_id, pattern.id)
                if why:
                    enhancement_changes.note_asked(
                        connection, pattern.ns_id, pattern.id, known.hash, why
                    )

    def _add(
        self,
        database: Database,
        ns_id: int,
        pattern: str,
        one: Suggestion,
        facts: dict[str, Json],
    ) -> bool:
        made = candidate(one, str(uuid_utils.compat.uuid7()), pattern, datetime.now(UTC))
        with writing(database) as connection:
            return enhancement_changes.add(connection, ns_id, made, facts)
