"""Experiments as they run: conversations are judged, verdicts drawn, and what follows from them is done.

All of it is in the store: whoever goes on after a restart comes to the same.
"""

import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from llmproxy_core.config import LearningConfig
from llmproxy_core.enhancements.savings import Savings
from llmproxy_core.errors import DatabaseUnavailable, ExperimentError, LlmproxyError
from llmproxy_core.experiments import probation
from llmproxy_core.experiments.experiment import HOLDOUT
from llmproxy_core.experiments.life import ITSELF
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.store import enhancements, experiment_changes, experiments, lessons
from llmproxy_core.store.changing import writing
from llmproxy_core.store.database import Database
from llmproxy_core.store.experiments import StoredExperiment, Unit
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.worker.outcomes import outcomes

AT_A_TIME = 500
"""Conversations that are judged in one round."""

logger = logging.getLogger(__name__)


class Experimenting:
    """Not thread-safe. `round` raises DatabaseUnavailable; what else goes wrong with one experiment
    is told once, and does not hold up the others."""

    def __init__(self, settings: LearningConfig) -> None:
        self._settings = settings
        self._after = timedelta(seconds=settings.judged_after_seconds)
        self._judges: dict[UUID, Judge] = {}
        self._savings: dict[UUID, Savings] = {}
        self._faults: set[str] = set()

    def round(self, database: Database, now: datetime | None = None) -> int:
        """Judge what is due; the number of conversations."""
        now = now or datetime.now(UTC)
        with database.connect() as connection:
            due = experiments.due(connection, now - self._after, AT_A_TIME)
        by_experiment: dict[tuple[int, UUID], list[Unit]] = {}
        for ns_id, id, unit in due:
            by_experiment.setdefault((ns_id, id), []).append(unit)
        for (ns_id, id), units in by_experiment.items():
            self._guarded(str(id), lambda: self._judge(database, ns_id, id, units, now))  # noqa: B023
        self._begin(database)
        return len(due)

    def _judge(
        self, database: Database, ns_id: int, id: UUID, units: list[Unit], now: datetime
    ) -> None:
        with database.connect() as connection:
            stored = next(iter(experiments.by_id(connection, [id])), None)
            counting = self._counting(stored)
            rows = outcomes(connection, ns_id, id, units, self._after, counting, now)
        with writing(database) as changing, changing.transaction():
            lessons.write(changing, Lessons(units=rows))
        if stored is not None and stored.one.status == "running":
            self._decide(database, stored, now)
        elif stored is not None and stored.one.status == "promoted":
            self._watch(database, stored, now)

    def _decide(self, database: Database, stored: StoredExperiment, now: datetime) -> None:
        one = stored.one
        with database.connect() as connection:
            tally = experiments.counted(connection, stored.ns_id, stored.id)
            aim = experiments.aim(connection, stored)
        verdict = self._judges.setdefault(stored.id, Judge(one)).verdict(tally)
        if aim == "cost":
            savings = self._savings.setdefault(stored.id, Savings(one))
            verdict = savings.decided("cost", verdict, tally)
        with writing(database) as connection:
            after = experiment_changes.judge(connection, stored.id, verdict, tally, now)
            if after.dropped != one.dropped:
                self._judges.pop(stored.id, None)
            if after.status == "won" and self._settings.auto_experiment:
                why = "It has won, and learning.auto_experiment is on."
                experiment_changes.promote(connection, stored.id, ITSELF, why)
        if after.status != one.status:
            self._judges.pop(stored.id, None)
            self._savings.pop(stored.id, None)
            logger.info(f"experiment {one.name}: {after.status}. {after.steps[-1].why}")

    def _watch(self, database: Database, stored: StoredExperiment, now: datetime) -> None:
        """What was promoted, beside the holdout."""
        since = probation.period(stored.one, now.timestamp())
        if since is None:
            return
        with database.connect() as connection:
            tally = experiments.counted(connection, stored.ns_id, stored.id, since)
        beside = probation.beside_holdout(stored.one)
        judge = self._judges.setdefault(stored.id, Judge(beside, HOLDOUT))
        with writing(database) as connection:
            after = experiment_changes.watch(
                connection, stored.id, judge.verdict(tally), tally, since, now
            )
        if after.status != "promoted":
            self._judges.pop(stored.id, None)
            logger.warning(f"experiment {after.name}: {after.status}. {after.steps[-1].why}")

    def _begin(self, database: Database) -> None:
        """The experiments of what was approved, and of what needs nobody's approval."""
        with writing(database) as connection:
            waiting = experiment_changes.waiting(connection)
        if self._settings.auto_experiment:
            with database.connect() as reading:
                waiting += [one.id for one in enhancements.enhancements(reading, ("candidate",))]
        for id in waiting:
            self._guarded(str(id), lambda: self._try_out(database, id))  # noqa: B023

    def _try_out(self, database: Database, id: UUID) -> None:
        with writing(database) as connection:
            counting = self._settings.counting
            auto = self._settings.auto_experiment
            experiment_changes.try_out(connection, id, ITSELF, counting=counting, auto=auto)

    def _counting(self, stored: StoredExperiment | None) -> Collection[str]:
        return (stored.one.counting if stored is not None else ()) or self._settings.counting

    def _guarded(self, about: str, work: Callable[[], None]) -> None:
        try:
            work()
        except DatabaseUnavailable:
            raise
        except ExperimentError as exc:
            logger.debug(f"{about}: {exc}")  # another one of its pattern is running
        except LlmproxyError as exc:
            if (said := f"{about}: {exc}") not in self._faults and len(self._faults) < 100:
                self._faults.add(said)
                logger.warning(f"experiments: {said}")
