"""The part of the store that is learnt, for the screens."""

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from llmproxy_core.config import TransformationConfig
from llmproxy_core.errors import StoreError
from llmproxy_core.home import actor
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.store import (
    call_lessons,
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiments,
    feedback,
    pattern_changes,
    pattern_detail,
    patterns,
    reads,
    transformation_changes,
    transformation_order,
    transformations,
)
from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.store.enhancements import OPEN, STATUSES, StoredEnhancement
from llmproxy_core.store.experiments import Arm, StoredExperiment, Unit
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.patterns import PatternLine, Sums
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Verdict
from llmproxy_core.tui.learning import Exemplar, PatternAbout
from llmproxy_core.tui.store_guard import Connections

if TYPE_CHECKING:  # it brings the detectors, which no other screen needs
    from llmproxy_core.trial.edits import Tried

SHOWN_ON = 20
"""Newest calls of a pattern among which one is looked for that an edit changes."""
CLOSED = tuple(status for status in STATUSES if status not in OPEN)
AGAIN = "to be thought about again"


class StoreLearning:
    """See `learning.Learning`. `counting`: the signals that count, as the worker counts."""

    def __init__(self, connections: Connections, counting: Collection[str] = COUNTED) -> None:
        self._connections = connections
        self._read = connections.read
        self._change = connections.change
        self._counting = counting

    # patterns --------------------------------------------------------------------------------

    def patterns(self, kind: PatternKind, *, limit: int) -> list[PatternLine]:
        return self._read(lambda c: patterns.patterns(c, [kind], limit=limit))

    def about(self, ns_id: int, pattern: UUID) -> PatternAbout | None:
        return self._read(lambda c: _about(c, ns_id, pattern, self._counting))

    def calls(self, ns_id: int, pattern: UUID, *, limit: int) -> list[Exemplar]:
        def read(connection: Any) -> list[Exemplar]:
            found = pattern_detail.calls(
                connection, ns_id, pattern, limit=limit, counting=self._counting
            )
            ids = [one.request_id for one in found]
            flows = {flow.id: flow for flow in reads.flows_by_id(connection, ids)}
            return [
                Exemplar(flows[one.request_id], one) for one in found if one.request_id in flows
            ]

        return self._read(read)

    def rename(self, ns_id: int, pattern: UUID, name: str) -> bool:
        self._change(lambda c: pattern_changes.rename(c, ns_id, pattern, name, actor()))
        return True

    def merge(self, ns_id: int, pattern: UUID, into: UUID) -> bool:
        self._change(lambda c: pattern_changes.merge(c, ns_id, pattern, into, actor()))
        return True

    def ask_advisor(self, ns_id: int, pattern: UUID) -> bool:
        self._change(lambda c: pattern_changes.want_advice(c, ns_id, pattern, actor()))
        return True

    # enhancements ----------------------------------------------------------------------------

    def enhancements(self, *, limit: int) -> list[StoredEnhancement]:
        def read(connection: Any) -> list[StoredEnhancement]:
            waiting = enhancements.enhancements(connection, ("candidate",), limit=limit)
            under_way = enhancements.enhancements(connection, OPEN[1:], limit=limit)
            over = enhancements.enhancements(connection, CLOSED, limit=limit)
            return [*waiting, *under_way, *over][:limit]

        return self._read(read)

    def waiting(self) -> int:
        return self._read(enhancements.waiting)

    def try_edit(self, one: StoredEnhancement) -> "Tried | None":
        from llmproxy_core.trial import edits

        pattern = UUID(one.one.pattern_id)
        operations = read_operations(one.one.edit)
        found = self._read(lambda c: pattern_detail.calls(c, one.ns_id, pattern, limit=SHOWN_ON))
        with self._connections.database() as database:
            return edits.on_first(database, [each.request_id for each in found], operations)

    def approve(self, enhancement: UUID) -> bool:
        self._change(
            lambda c: experiment_changes.approve(
                c, enhancement, actor(), counting=[*self._counting]
            )
        )
        return True

    def reject(self, enhancement: UUID, why: str) -> bool:
        self._change(lambda c: enhancement_changes.reject(c, enhancement, actor(), why))
        return True

    def reconsider(self, enhancement: UUID) -> bool:
        self._change(lambda c: enhancement_changes.reconsider(c, enhancement, actor(), AGAIN))
        return True

    # experiments -----------------------------------------------------------------------------

    def experiments(self, *, limit: int) -> list[StoredExperiment]:
        return self._read(lambda c: experiments.experiments(c, limit=limit))

    def experiments_by_id(self, ids: list[UUID]) -> list[StoredExperiment]:
        return self._read(lambda c: experiments.by_id(c, ids))

    def arms(self, ns_id: int, experiment: UUID) -> dict[str, Arm]:
        return self._read(lambda c: experiments.arms(c, ns_id, experiment))

    def judged(self, ns_id: int, experiment: UUID) -> list[Unit]:
        return self._read(lambda c: experiments.judged(c, ns_id, experiment))

    def units(self, ns_id: int, experiment: UUID, *, limit: int) -> list[Unit]:
        return self._read(lambda c: experiments.units(c, ns_id, experiment, limit=limit))

    def start(self, experiment: UUID) -> bool:
        self._change(lambda c: experiment_changes.start(c, experiment, actor()))
        return True

    def stop(self, experiment: UUID, why: str) -> bool:
        self._change(lambda c: experiment_changes.stop(c, experiment, actor(), why))
        return True

    def promote(self, experiment: UUID, why: str) -> bool:
        self._change(lambda c: experiment_changes.promote(c, experiment, actor(), why))
        return True

    def roll_back(self, experiment: UUID, why: str) -> bool:
        self._change(lambda c: experiment_changes.roll_back(c, experiment, actor(), why))
        return True

    # rules -----------------------------------------------------------------------------------

    def rules(self) -> list[StoredTransformation]:
        return self._change(transformations.transformations)

    def switch(self, rule: str, *, active: bool) -> bool:
        self._change(lambda c: transformation_changes.set_active(c, rule, actor(), active=active))
        return True

    def move(self, rule: str, by: int) -> bool:
        return self._change(lambda c: transformation_order.move(c, rule, by, actor()))

    def try_rule(self, rule: str, *, limit: int) -> "list[Tried]":
        from llmproxy_core.trial import edits

        made = self._rule(rule)
        with self._connections.database() as database:
            return edits.of_rule(database, made, limit)

    def try_on(self, rule: str, call: str) -> "tuple[Tried, bool]":
        from llmproxy_core.trial import edits

        made = self._rule(rule)
        ids = self._read(lambda c: reads.find_ids(c, call))
        if len(ids) != 1:
            raise StoreError(f"{len(ids) or 'No'} calls have an id like {call!r}.")
        with self._connections.database() as database:
            tried = edits.on_call(database, ids[0], made.logic)
            if tried is None:
                raise StoreError(f"The call {ids[0]} cannot be read.")
            return tried, edits.applies(database, made, ids[0])

    def _rule(self, name: str) -> TransformationConfig:
        stored = self._change(lambda c: transformation_changes.existing(c, name))
        return transformations.checked(stored.table(), f"transformation {name}")

    # calls -----------------------------------------------------------------------------------

    def learnt(self, request: UUID) -> CallLessons:
        return self._read(lambda c: call_lessons.of_call(c, request))

    def feedback(self, request: UUID, verdict: Verdict, why: str = "") -> bool:
        self._change(lambda c: feedback.give(c, request, verdict, actor(), why, self._counting))
        return True


def _about(
    connection: Any, ns_id: int, pattern: UUID, counting: Collection[str]
) -> PatternAbout | None:
    found = pattern_detail.about(connection, ns_id, pattern)
    line = next(iter(patterns.by_id(connection, [pattern])), None)
    if found is None or line is None:
        return None
    since = patterns.first_day()
    versions = pattern_detail.versions(connection, ns_id, pattern, counting)
    near = pattern_detail.nearest(connection, ns_id, pattern, line.kind)
    return PatternAbout(
        pieces=found.pieces,
        total=patterns.total(connection, ns_id, pattern, since),
        models=[*patterns.by_model(connection, ns_id, pattern, since).items()],
        days=_by_day(patterns.by_day(connection, ns_id, pattern, since)),
        versions=versions[::-1],
        history=pattern_detail.history(connection, ns_id, pattern),
        nearest=[name for _, name in near],
    )


def _by_day(found: dict[tuple[date, str], Sums]) -> list[tuple[date, Sums]]:
    """Of all models together."""
    days: dict[date, list[Any]] = {}
    for (day, _), one in found.items():
        days[day] = patterns.added(days.get(day), one)
    return [(day, Sums(*values)) for day, values in sorted(days.items())]
