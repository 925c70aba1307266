"""What the screens of what is learnt need of the store: patterns, suggestions, experiments, rules.

Plain calls that may block, as those of `source`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.store.experiments import Arm, StoredExperiment, Unit
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.pattern_detail import Happened, PatternCall, Version
from llmproxy_core.store.patterns import PatternLine, Sums
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.success.signal import Verdict

if TYPE_CHECKING:  # it brings the detectors, which no other screen needs
    from llmproxy_core.trial.edits import Tried


@dataclass(frozen=True, slots=True)
class PatternAbout:
    """`pieces`: the template, None for each slot. `total`, `models`, `days`: of the last days, those
    with most calls and the oldest first. `versions`: the oldest first. `nearest`: names of patterns
    of the same kind that share most words."""

    pieces: Sequence[str | None]
    total: Sums = field(default_factory=Sums)
    models: Sequence[tuple[str, Sums]] = ()
    days: Sequence[tuple[date, Sums]] = ()
    versions: Sequence[Version] = ()
    history: Sequence[Happened] = ()
    nearest: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A call of a pattern."""

    flow: Flow
    of: PatternCall


class Learning(Protocol):
    """Every method blocks, may be called from any thread, and raises LlmproxyError only."""

    def patterns(self, kind: PatternKind, *, limit: int) -> list[PatternLine]:
        """Those with most calls first."""

    def about(self, ns_id: int, pattern: UUID) -> PatternAbout | None: ...

    def calls(self, ns_id: int, pattern: UUID, *, limit: int) -> list[Exemplar]:
        """The newest first."""

    def rename(self, ns_id: int, pattern: UUID, name: str) -> bool: ...

    def merge(self, ns_id: int, pattern: UUID, into: UUID) -> bool:
        """Its calls count for another one from now on."""

    def ask_advisor(self, ns_id: int, pattern: UUID) -> bool:
        """Let the worker ask the advisor about it."""

    def enhancements(self, *, limit: int) -> list[StoredEnhancement]:
        """Those that may still become something first, then the newest."""

    def waiting(self) -> int:
        """How many suggestions wait for a person."""

    def try_edit(self, one: StoredEnhancement) -> "Tried | None":
        """On the newest call of its pattern that can be read; None: there is none."""

    def approve(self, enhancement: UUID) -> bool:
        """Begin its experiment."""

    def reject(self, enhancement: UUID, why: str) -> bool: ...

    def reconsider(self, enhancement: UUID) -> bool: ...

    def experiments(self, *, limit: int) -> list[StoredExperiment]:
        """Those that run first, then the newest."""

    def experiments_by_id(self, ids: list[UUID]) -> list[StoredExperiment]: ...

    def arms(self, ns_id: int, experiment: UUID) -> dict[str, Arm]: ...

    def judged(self, ns_id: int, experiment: UUID) -> list[Unit]:
        """All conversations that count, in the order in which they were counted."""

    def units(self, ns_id: int, experiment: UUID, *, limit: int) -> list[Unit]:
        """Those with the newest calls first."""

    def start(self, experiment: UUID) -> bool: ...

    def stop(self, experiment: UUID, why: str) -> bool: ...

    def promote(self, experiment: UUID, why: str) -> bool: ...

    def roll_back(self, experiment: UUID, why: str) -> bool: ...

    def rules(self) -> list[StoredTransformation]:
        """In the order in which they are done."""

    def switch(self, rule: str, *, active: bool) -> bool: ...

    def move(self, rule: str, by: int) -> bool:
        """Let it be done so many places later, or earlier; False: it is at that end."""

    def try_rule(self, rule: str, *, limit: int) -> "list[Tried]":
        """On the newest calls: those that it is for."""

    def try_on(self, rule: str, call: str) -> "tuple[Tried, bool]":
        """On the call whose id begins or ends like this; and whether it is for it."""

    def learnt(self, request: UUID) -> CallLessons: ...

    def feedback(self, request: UUID, verdict: Verdict, why: str = "") -> bool:
        """What a person says of an answer."""
