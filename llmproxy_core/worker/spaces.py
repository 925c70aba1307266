"""What is known of the patterns of one namespace: the miner of its prompts, versions of its prompts and
tools, and what is known at a glance."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from uuid import UUID

from llmproxy_core.hashing import content_hash
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.pieces import named
from llmproxy_core.patterns.readings import READINGS
from llmproxy_core.patterns.versions import Sighting, Versions
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.learning_rows import (
    Lessons,
    PatternCallRow,
    PatternKind,
    PatternRow,
    VersionRow,
)
from llmproxy_core.worker.consolidating import Result
from llmproxy_core.worker.forgetting import least_useful, thin
from llmproxy_core.worker.known_pattern import Known
from llmproxy_core.worker.lesson import Lesson
from llmproxy_core.worker.moments import moment
from llmproxy_core.worker.pattern_rows import (
    Stored,
    Unstored,
    family_rows,
    forgotten_row,
    history,
    pattern_row,
)

AT_A_GLANCE = 20_000
"""Texts whose pattern is known by their hash."""
OFTEN = 8
"""Times that the same text is given to the miner while it waits: it needs to know that it comes
again, not how often."""
VERSIONED: tuple[PatternKind, ...] = ("system", "tools")
KINDS: tuple[PatternKind, ...] = ("user", *VERSIONED)
LONGEST_TEXT = 200_000
"""Characters of a version that are stored."""

type Glanced = tuple[UUID, int | None] | None
"""A pattern, and the number of its version; None: the text is of none."""
type Key = tuple[PatternKind, int, str]


class Space:
    """Not thread-safe."""

    def __init__(self, ns_id: int, stored: Iterable[Stored] = ()) -> None:
        self.ns_id = ns_id
        self.miner = Miner()
        self.versions = {kind: Versions() for kind in VERSIONED}
        self.known: dict[str, Known] = {}
        self.names: dict[str, str] = {}
        """Of system prompts and tools."""
        self.unstored = Unstored()
        self._glance: Recent[Key, tuple[Glanced]] = Recent(AT_A_GLANCE)
        self._waits: Recent[int, int] = Recent(AT_A_GLANCE)
        self._tools: Recent[int, str] = Recent(512)
        self._load(list(stored))

    def glance(self, lesson: Lesson) -> list[PatternCallRow] | None:
        """The patterns of a call, if all are known without looking at its texts."""
        found: list[PatternCallRow] = []
        for kind in KINDS:
            if recognised := lesson.recognised(kind):
                found += self._recognised(lesson, kind, recognised)
            elif key := lesson.key(kind):
                known = self._glance.get(_key(lesson, kind, key))
                if known is None:
                    return None
                if known[0] is not None:
                    found.append(self._row(lesson, kind, *known[0]))
        return self._counted(lesson, found)

    def tools_known(self, key: int) -> bool:
        return self._tools.get(key) is not None

    def look(self, lesson: Lesson, into: Lessons) -> list[PatternCallRow]:
        """The patterns of a call, without those that are stored; without the prompt's where that is
        too new."""
        found: list[PatternCallRow] = []
        for kind in KINDS:
            if kind in lesson.done:
                continue
            if recognised := lesson.recognised(kind):
                found += self._recognised(lesson, kind, recognised)
            elif lesson.key(kind):
                if kind == "user":
                    found += self._assigned(lesson)
                else:
                    found += self._sighted(lesson, kind, into)
        return self._counted(lesson, found)

    def look_again(self, lesson: Lesson, *, had: bool) -> list[PatternCallRow]:
        """The pattern of a prompt that was too new. `had`: the miner knows it since before it was
        consolidated."""
        return self._counted(lesson, self._assigned(lesson, had=had))

    def swap(self, result: Result) -> None:
        """The miner that has been consolidated meanwhile takes the place of the one before."""
        before, self.miner = self.miner.patterns, result.miner
        patterns = self.miner.patterns
        self._look_anew()
        merged = False
        for id, one in patterns.items():
            old = before.get(id)
            if old is not None and old.given:
                one.name, one.given = old.name, True  # a person may have named it meanwhile
            if old is not None and old.merged_into is not None and one.merged_into is None:
                one.merged_into, merged = old.merged_into, True
            elif old is not None and old.merged_into is None and one.merged_into is not None:
                self._join(id, self.miner.now(id))
        changed = {id for id, one in patterns.items() if _wording(one) != _wording(before.get(id))}
        for id, described in result.described.items():
            if self.known.setdefault(id, Known()).describe(described):
                changed.add(id)
        at = time.time_ns()
        for event in result.events:
            why = event.other if event.change == "renamed" else ""
            other = None if event.change == "renamed" else event.other
            self._tell(at, event.pattern, event.change, other, why or "")
        if merged:  # by a person, meanwhile
            self.miner.reindex()
        self._mark(changed)

    def heed(self, id: str, name: str, named_by: str | None, merged_into: UUID | None) -> None:
        """What a person says of a pattern."""
        one = self.miner.patterns.get(id)
        heir = str(merged_into) if merged_into is not None else None
        if one is None:
            if id in self.names:
                self.names[id] = name
            return
        if named_by is not None and (one.name, one.given) != (name, True):
            one.name, one.given = name, True
        if heir is not None and one.merged_into != heir and heir in self.miner.patterns:
            one.merged_into, one.examples = heir, {}
            self._join(id, heir)
            self._look_anew()
            self.miner.reindex()
            self._mark((id, heir))

    @property
    def size(self) -> int:
        """Characters of all prompts that are kept."""
        kept = (len(text) for one in self.miner.patterns.values() for text in one.examples)
        return self.miner.size + sum(kept)

    def make_room(self, kept: Callable[[], Collection[str]]) -> Iterator[PatternRow]:
        """Forget the least useful patterns where there are too many; what is to be stored of them.
        `kept`: asks for the ids of those that stay. Raises what `kept` does."""
        now = time.time_ns()
        gone = least_useful(self.miner, self.known, kept, now)
        for id in gone:
            one = self.miner.patterns.pop(id)
            if one.merged_into is None:
                yield forgotten_row(self.ns_id, one, self.known.get(id, Known()))
                self._tell(now, id, "forgotten")
        if gone:
            self._look_anew()
            self.miner.reindex()
        for id in thin(self.miner):
            self.unstored.mark(id, "user")
        alive = self.miner.patterns.keys() | {
            id for one in self.versions.values() for id in one.patterns()
        }
        left = [id for id in self.known if id not in alive]
        self.unstored.forget(left)
        for id in left:
            del self.known[id]
            self.names.pop(id, None)

    def drop_before(self, at: int) -> None:
        """Leave out what the prompts said that came before (ns since 1970)."""
        fewer = [id for id, one in self.miner.patterns.items() if one.drop_before(at)]
        if fewer:
            self._look_anew()  # those that come again are examples again
            # The store has deleted those that nobody has asked since.
            self._mark(id for id in fewer if self.known.get(id, Known()).last >= at)

    def flush(self, *, whole: bool, most: int = 500) -> Iterator[PatternRow | VersionRow]:
        """What is to be stored of what has changed, so many patterns at most. `whole`: with all that
        the miner knows of them."""
        for id, kind, all_of_it in self.unstored.take(most, whole=whole):
            yield from self._rows(id, kind, whole=all_of_it)

    def _look_anew(self) -> None:
        """What was known at a glance may be otherwise."""
        self._glance = Recent(AT_A_GLANCE)
        self._waits = Recent(AT_A_GLANCE)

    def _join(self, id: str, heir: str) -> None:
        self.known.setdefault(heir, Known()).take(self.known.get(id, Known()))

    def _mark(self, ids: Iterable[str]) -> None:
        """Of these prompts all is to be stored, soon."""
        for id in ids:
            self.unstored.mark(id, "user", whole=True)

    def _tell(self, at: int, id: str, what: str, other: str | None = None, why: str = "") -> None:
        self.unstored.events.append(history(self.ns_id, at, id, what, other, why))

    def _rows(
        self, id: str, kind: PatternKind, *, whole: bool
    ) -> Iterator[PatternRow | VersionRow]:
        known = self.known.get(id, Known())
        if kind != "user":
            name, versions = self.names.get(id, ""), self.versions[kind]
            yield from family_rows(self.ns_id, id, kind, versions, name, known, whole=whole)
        elif (pattern := self.miner.patterns.get(id)) is not None:
            yield pattern_row(self.ns_id, pattern, known, whole=whole)

    def _assigned(self, lesson: Lesson, *, had: bool = False) -> list[PatternCallRow]:
        key = _key(lesson, "user", lesson.key("user"))
        if known := self._glance.get(key):
            return [self._row(lesson, "user", *known[0])] if known[0] else []
        waits = self._waits.get(key[1]) or 0
        if waits >= OFTEN:
            return []  # nothing becomes of it before the miner is consolidated
        id = self.miner.find(lesson.user) if had else self.miner.assign(lesson.user, at=lesson.at)
        if id is None:
            self._waits[key[1]] = waits + 1
            return []
        pattern = UUID(id)
        self._glance[key] = ((pattern, None),)
        return [self._row(lesson, "user", pattern, None)]

    def _sighted(self, lesson: Lesson, kind: PatternKind, into: Lessons) -> list[PatternCallRow]:
        key = _key(lesson, kind, lesson.key(kind))
        text = lesson.system
        if kind == "tools":
            told = lesson.tools
            text = told if told is not None else self._tools.get(lesson.tools_key) or ""
            self._tools[lesson.tools_key] = text
        seen = self.versions[kind].see(text, lesson.at, lesson.session, READINGS[kind])
        if seen is None:
            self._glance[key] = (None,)
            return []
        if seen.new:
            self._born(lesson, kind, seen, text, into)
        pattern = UUID(seen.pattern)
        if seen.exact:
            self._glance[key] = ((pattern, seen.number),)
        return [self._row(lesson, kind, pattern, seen.number)]

    def _born(
        self, lesson: Lesson, kind: PatternKind, seen: Sighting, text: str, into: Lessons
    ) -> None:
        """A version, and with the first a pattern."""
        at = moment(lesson.at)
        if seen.pattern not in self.names:
            self.names[seen.pattern] = _name(kind, text, self.names.values())
            self.known.setdefault(seen.pattern, Known()).pieces = [text[:LONGEST_TEXT]]
            self._tell(lesson.at, seen.pattern, "born")
        self.unstored.mark(seen.pattern, kind, whole=True)
        hashed = content_hash(text.encode("utf-8", "replace"))
        into.versions.append(
            VersionRow(
                self.ns_id, UUID(seen.pattern), seen.number, hashed, text[:LONGEST_TEXT], at, at, 1
            )
        )
        if seen.number > 1:
            self._tell(lesson.at, seen.pattern, "version", why=f"v{seen.number}")

    def _recognised(self, lesson: Lesson, kind: PatternKind, id: str) -> list[PatternCallRow]:
        """By the proxy. What it was merged into meanwhile counts."""
        if kind == "user":
            if id not in self.miner.patterns:
                return []
            return [self._row(lesson, kind, UUID(self.miner.now(id)), None)]
        latest = self.versions[kind].versions(id)
        return [self._row(lesson, kind, UUID(id), latest[-1].number)] if latest else []

    def _row(
        self, lesson: Lesson, kind: PatternKind, id: UUID, version: int | None
    ) -> PatternCallRow:
        return PatternCallRow(self.ns_id, lesson.id, kind, id, version, lesson.took.model or None)

    def _counted(self, lesson: Lesson, found: list[PatternCallRow]) -> list[PatternCallRow]:
        for row in found:
            id = str(row.pattern_id)
            known = self.known.get(id)
            if known is None:
                known = self.known[id] = Known()
            known.add(lesson.at, lesson.shape)
            self.unstored.mark(id, row.kind)
        return found

    def _load(self, stored: list[Stored]) -> None:
        families: dict[str, list[Any]] = {kind: [] for kind in VERSIONED}
        for row in stored:
            id = str(row.id)
            self.known[id] = row.known
            if (pattern := row.pattern) is not None:
                self.miner.patterns[id] = pattern
            elif row.kind in families and (family := row.state_of("family")) is not None:
                families[row.kind].append(family)
                self.names[id] = row.name
        for kind in VERSIONED:
            self.versions[kind] = Versions.from_rows(families[kind])
        self.miner.reindex()


def _wording(one: Pattern | None) -> object:
    """All of it but its counts."""
    return one and (one.runs, one.name, one.merged_into, list(one.examples))


def _key(lesson: Lesson, kind: PatternKind, key: int) -> Key:
    return kind, key, "" if kind == "user" else lesson.session


def _name(kind: str, text: str, taken: Iterable[str]) -> str:
    if kind == "tools":
        lines = text.splitlines()
        names = [name for line in lines if (name := line.partition(" ")[0])]
        shown = ", ".join(names[:4]) or f"{len(lines)} tools without names"
        return f"{shown} and {len(names) - 4} more"[:60] if len(names) > 4 else shown[:60]
    return named([text[:2000]], frozenset(taken))
