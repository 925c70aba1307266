"""What the screens of what is learnt see, without a database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from llmproxy_core.enhancements import life as enhancement_life
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.errors import StoreError
from llmproxy_core.experiments import life
from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.store.experiments import Arm, StoredExperiment, Unit
from llmproxy_core.store.learning_rows import NEWS, PatternKind
from llmproxy_core.store.notify import Change
from llmproxy_core.store.patterns import PatternLine
from llmproxy_core.store.transformation_order import renumbered
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.store.verdicts import Told
from llmproxy_core.success.signal import Verdict
from llmproxy_core.trial.edits import Tried
from llmproxy_core.tui.learning import Exemplar, PatternAbout

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


class MemoryLearning:
    """`tell`: hears what changed; `check`: raises where the database is away."""

    def __init__(self, check: Callable[[], None], tell: Callable[[Change], None]) -> None:
        self._check = check
        self._tell = tell
        self.lines: list[PatternLine] = []
        self.abouts: dict[UUID, PatternAbout] = {}
        self.calls_of: dict[UUID, list[Exemplar]] = {}
        self.wanted: list[UUID] = []
        self.merged: list[tuple[UUID, UUID]] = []
        self.suggested: list[StoredEnhancement] = []
        self.tried: dict[UUID, Tried] = {}
        self.tests: list[StoredExperiment] = []
        self.conversations: dict[UUID, list[Unit]] = {}
        self.stored_rules: list[StoredTransformation] = []
        self.rule_trials: dict[str, list[Tried]] = {}
        self.known: dict[UUID, CallLessons] = {}

    # what tests do ---------------------------------------------------------------------------

    def news(self) -> None:
        self._tell(Change(learning=[NEWS]))

    # patterns --------------------------------------------------------------------------------

    def patterns(self, kind: PatternKind, *, limit: int) -> list[PatternLine]:
        self._check()
        return [one for one in self.lines if one.kind == kind][:limit]

    def about(self, ns_id: int, pattern: UUID) -> PatternAbout | None:
        self._check()
        return self.abouts.get(pattern)

    def calls(self, ns_id: int, pattern: UUID, *, limit: int) -> list[Exemplar]:
        self._check()
        return self.calls_of.get(pattern, [])[:limit]

    def rename(self, ns_id: int, pattern: UUID, name: str) -> bool:
        self._check()
        if any(one.name == name for one in self.lines):
            raise StoreError(f"There is a pattern {name!r} already.")
        self.lines = [
            replace(one, name=name, given=True) if one.id == pattern else one for one in self.lines
        ]
        self.news()
        return True

    def merge(self, ns_id: int, pattern: UUID, into: UUID) -> bool:
        self._check()
        self.lines = [one for one in self.lines if one.id != pattern]
        self.merged.append((pattern, into))
        self.news()
        return True

    def ask_advisor(self, ns_id: int, pattern: UUID) -> bool:
        self._check()
        self.wanted.append(pattern)
        return True

    # enhancements ----------------------------------------------------------------------------

    def enhancements(self, *, limit: int) -> list[StoredEnhancement]:
        self._check()
        return self.suggested[:limit]

    def waiting(self) -> int:
        self._check()
        return sum(one.one.status == "candidate" for one in self.suggested)

    def try_edit(self, one: StoredEnhancement) -> Tried | None:
        self._check()
        return self.tried.get(one.id)

    def approve(self, enhancement: UUID) -> bool:
        return self._step(enhancement, lambda one: enhancement_life.approve(one, NOW, "mira"))

    def reject(self, enhancement: UUID, why: str) -> bool:
        return self._step(enhancement, lambda one: enhancement_life.reject(one, NOW, "mira", why))

    def reconsider(self, enhancement: UUID) -> bool:
        return self._step(
            enhancement, lambda one: enhancement_life.reconsider(one, NOW, "mira", "again")
        )

    def _step(self, id: UUID, take: Callable[[Enhancement], Enhancement]) -> bool:
        self._check()
        self.suggested = [
            replace(one, one=take(one.one)) if one.id == id else one for one in self.suggested
        ]
        self.news()
        return True

    # experiments -----------------------------------------------------------------------------

    def experiments(self, *, limit: int) -> list[StoredExperiment]:
        self._check()
        return self.tests[:limit]

    def experiments_by_id(self, ids: list[UUID]) -> list[StoredExperiment]:
        self._check()
        return [one for one in self.tests if one.id in ids]

    def arms(self, ns_id: int, experiment: UUID) -> dict[str, Arm]:
        self._check()
        found: dict[str, Arm] = {}
        for unit in self.conversations.get(experiment, []):
            arm = found.get(unit.arm, Arm())
            found[unit.arm] = Arm(
                arm.conversations + 1,
                arm.judged + (unit.judged_at is not None),
                arm.input_tokens + unit.input_tokens,
                arm.cached_tokens + unit.cached_tokens,
                arm.predicted_cached + unit.predicted_cached,
            )
        return found

    def judged(self, ns_id: int, experiment: UUID) -> list[Unit]:
        self._check()
        return [one for one in self.conversations.get(experiment, []) if one.judged_at]

    def units(self, ns_id: int, experiment: UUID, *, limit: int) -> list[Unit]:
        self._check()
        return self.conversations.get(experiment, [])[::-1][:limit]

    def start(self, experiment: UUID) -> bool:
        return self._move(experiment, lambda one, at: life.started(one, at, "mira"))

    def stop(self, experiment: UUID, why: str) -> bool:
        return self._move(experiment, lambda one, at: life.stopped(one, at, "mira", why))

    def promote(self, experiment: UUID, why: str) -> bool:
        return self._move(experiment, lambda one, at: life.promoted(one, at, "mira", why))

    def roll_back(self, experiment: UUID, why: str) -> bool:
        return self._move(experiment, lambda one, at: life.rolled_back(one, at, "mira", why))

    def _move(self, id: UUID, take: Callable[[Experiment, float], Experiment]) -> bool:
        self._check()
        self.tests = [
            replace(one, one=take(one.one, NOW.timestamp())) if one.id == id else one
            for one in self.tests
        ]
        self.news()
        return True

    # rules -----------------------------------------------------------------------------------

    def rules(self) -> list[StoredTransformation]:
        self._check()
        return list(self.stored_rules)

    def switch(self, rule: str, *, active: bool) -> bool:
        self._check()
        for index, one in enumerate(self.stored_rules):
            if one.name == rule:
                if one.origin == "mitm.toml":
                    raise StoreError(f"{rule} is in a mitm.toml. Change it there.")
                self.stored_rules[index] = replace(one, active=active)
        self.news()
        return True

    def move(self, rule: str, by: int) -> bool:
        self._check()
        moved = list(renumbered(self.stored_rules, rule, by))
        found = {one.name: one for one in [*self.stored_rules, *moved]}
        self.stored_rules = sorted(found.values(), key=lambda one: (one.order, one.name))
        self.news()
        return bool(moved)

    def try_on(self, rule: str, call: str) -> tuple[Tried, bool]:
        self._check()
        found = [one for one in self.rule_trials.get(rule, []) if str(one.flow.id).endswith(call)]
        if len(found) != 1:
            raise StoreError(f"{len(found) or 'No'} calls have an id like {call!r}.")
        return found[0], True

    def try_rule(self, rule: str, *, limit: int) -> list[Tried]:
        self._check()
        return self.rule_trials.get(rule, [])[:limit]

    # calls -----------------------------------------------------------------------------------

    def learnt(self, request: UUID) -> CallLessons:
        self._check()
        return self.known.get(request, CallLessons())

    def feedback(self, request: UUID, verdict: Verdict, why: str = "") -> bool:
        self._check()
        known = self.known.get(request, CallLessons())
        told = Told(request, "feedback", "user", verdict, 1.0, why, NOW)
        self.known[request] = replace(known, signals=[*known.signals, told])
        return True
