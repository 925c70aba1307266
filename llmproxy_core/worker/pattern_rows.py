"""Patterns as rows: what of them is to be stored, and what the store has of them."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import uuid_utils.compat

from llmproxy_core.patterns.families import to_row
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.versions import Versions
from llmproxy_core.store.learning_rows import HistoryRow, PatternKind, PatternRow, VersionRow
from llmproxy_core.worker.known_pattern import Known
from llmproxy_core.worker.moments import moment, nanoseconds

FORGOTTEN = "forgotten"
"""In the state of a pattern that is not looked for any more."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of `prompt_patterns`."""

    id: UUID
    kind: str
    name: str
    named_by: str | None
    type: str | None
    type_confidence: float | None
    pieces: list[str | None]
    structure: Any
    state: Any
    calls: int
    first_seen: Any
    last_seen: Any
    merged_into: UUID | None

    @property
    def known(self) -> Known:
        made = Known(
            self.calls,
            nanoseconds(self.first_seen),
            nanoseconds(self.last_seen),
            type=self.type,
            confidence=self.type_confidence,
            pieces=self.pieces,
        )
        made.read(self.structure)
        return made

    def state_of(self, name: str) -> Any:
        """What the miner (`pattern`) or the versions (`family`) need to go on; None: it is not there."""
        return self.state.get(name) if isinstance(self.state, dict) else None

    @property
    def pattern(self) -> Pattern | None:
        """Of a prompt; None of another, or where it cannot be read."""
        state = self.state_of("pattern")
        if self.kind != "user" or not isinstance(state, Mapping):
            return None
        try:
            one = Pattern.from_json(dict(state))
        except (KeyError, TypeError, ValueError):
            return None
        one.id, one.name, one.given = str(self.id), self.name, self.named_by is not None
        one.merged_into = str(self.merged_into) if self.merged_into else None
        return one


class Unstored:
    """What has become of the patterns of a namespace since it was stored. Not thread-safe."""

    def __init__(self) -> None:
        self.events: list[HistoryRow] = []
        """Their history."""
        self._dirty: dict[str, PatternKind] = {}
        self._news: set[str] = set()
        """Those of which all is to be stored at once."""
        self._states: dict[str, PatternKind] = {}
        """Those of which only counts were stored since all of it was."""

    def __bool__(self) -> bool:
        return bool(self._dirty)

    def mark(self, id: str, kind: PatternKind, *, whole: bool = False) -> None:
        self._dirty[id] = kind
        if whole:
            self._news.add(id)

    def forget(self, ids: Iterable[str]) -> None:
        """They are stored as they were last."""
        for id in ids:
            self._dirty.pop(id, None)
            self._states.pop(id, None)
            self._news.discard(id)

    def take(self, most: int, *, whole: bool) -> Iterator[tuple[str, PatternKind, bool]]:
        """So many that have changed, at most: (id, kind, is all of it to be stored?)"""
        for id in list(self._dirty)[:most]:
            kind = self._dirty.pop(id)
            yield id, kind, whole or id in self._news
            self._news.discard(id)
            if not whole:
                self._states[id] = kind
        if whole:
            for id, kind in self._states.items():
                yield id, kind, True
            self._states.clear()


def pattern_row(ns_id: int, one: Pattern, known: Known, *, whole: bool) -> PatternRow:
    """Of prompts. `whole`: with all that the miner knows of it."""
    state = {"pattern": one.to_json()} if whole else {}
    merged = UUID(one.merged_into) if one.merged_into else None
    return _row(ns_id, one.id, "user", one.name, known, state, merged, whole=whole)


def forgotten_row(ns_id: int, one: Pattern, known: Known) -> PatternRow:
    """Of one that is not looked for any more: what the miner needs to go on is left out."""
    return _row(ns_id, one.id, "user", one.name, known, {FORGOTTEN: True}, None, whole=False)


def family_rows(
    ns_id: int,
    id: str,
    kind: PatternKind,
    versions: Versions,
    name: str,
    known: Known,
    *,
    whole: bool,
) -> Iterator[PatternRow | VersionRow]:
    """Of a system prompt, or tools; none of one that is forgotten."""
    family = versions.family(id)
    if family is None:
        return
    for one in versions.versions(id):
        yield VersionRow(
            ns_id, UUID(id), one.number, bytes(16), "", moment(one.first), moment(one.last),
            one.count,
        )  # fmt: skip
    state = {"family": to_row(family)} if whole else {}
    yield _row(ns_id, id, kind, name, known, state, None, whole=whole)


def _row(
    ns_id: int,
    id: str,
    kind: PatternKind,
    name: str,
    known: Known,
    state: dict[str, Any],
    merged: UUID | None,
    *,
    whole: bool,
) -> PatternRow:
    now = time.time_ns()
    return PatternRow(
        ns_id,
        UUID(id),
        kind,
        name or f"{kind} {id[-6:]}",
        known.pieces if whole else [],
        known.calls,
        moment(known.first or now),
        moment(known.last or now),
        known.type,
        known.confidence,
        known.to_json(),
        state,
        merged,
    )


def history(
    ns_id: int, at: int, pattern: str, what: str, other: str | None = None, why: str = ""
) -> HistoryRow:
    """Its id tells when it was noticed, by which others notice it."""
    return HistoryRow(
        ns_id,
        uuid_utils.compat.uuid7(),
        moment(at),
        UUID(pattern),
        what,
        UUID(other) if other else None,
        why,
    )
