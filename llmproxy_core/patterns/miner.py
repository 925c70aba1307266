"""The miner: finds patterns online, one prompt at a time, and consolidates them now and then.

A prompt that fits a known template is given its pattern at once. Others wait, a bounded sample of
them; `consolidate` finds the templates among them, and divides and merges patterns by examples that
are kept of each. Ids stay; a pattern that was merged says into which.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from llmproxy_core.patterns.consolidation import Event, Succession, succession
from llmproxy_core.patterns.discovery import discovered, divided
from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.pattern import EXAMPLES, Pattern
from llmproxy_core.patterns.selection import selected
from llmproxy_core.patterns.shape import shape, shortened
from llmproxy_core.patterns.templates import Runs
from llmproxy_core.patterns.variants import LEAST

WAITING = 20_000
"""Different prompts that wait at most; of more of them a random sample is kept."""
WAITING_SIZE = 32_000_000
"""Characters of all that wait."""
MOST = 10_000
"""Patterns that are in use: whoever makes up more finds no new ones, and the old ones stay."""
KEYS = 16
"""Calls that are remembered of each prompt that waits."""


@dataclass(slots=True)
class Waiting:
    """A prompt without a pattern: how often it came, when last (ns since 1970), and the calls that
    asked it."""

    text: str
    times: int = 0
    keys: list[str] = field(default_factory=list)
    at: int = 0


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What a consolidation changed, and the patterns of calls that were too new before."""

    events: list[Event]
    found: list[tuple[str, str]]
    """Key of a call (see `Miner.assign`), and its pattern."""


class Miner:
    """Patterns of one kind. Not thread-safe."""

    def __init__(
        self,
        kind: str = "user",
        new_id: Callable[[], str] = lambda: str(uuid4()),
        seed: int = 0,
    ) -> None:
        self.kind = kind
        self.patterns: dict[str, Pattern] = {}
        """By id, those that were merged into others included."""
        self.fresh = 0
        """Prompts without a pattern since the last consolidation."""
        self._new_id = new_id
        self._dice = random.Random(seed)  # noqa: S311 - a sample, not a secret
        self._waiting: dict[str, Waiting] = {}
        self._size = 0
        self._room = MOST
        self._index = Index(())
        self._ids: list[str] = []

    def assign(self, text: str, key: str = "", at: int = 0) -> str | None:
        """The pattern of a prompt; None if it is too new, and `consolidate` may tell later. `at`: when
        it came, ns since 1970."""
        shaped = shape(text)
        number = self._index.best(shaped)
        if number is None:
            self._wait(shaped, text, key, at)
            return None
        pattern = self.patterns[self._ids[number]]
        self._count(pattern, text, 1, at)
        return pattern.id

    def find(self, text: str) -> str | None:
        """The pattern of a prompt. Nothing is counted or kept."""
        number = self._index.best(shape(text))
        return None if number is None else self._ids[number]

    @property
    def size(self) -> int:
        """Characters of all prompts that wait."""
        return self._size

    def current(self) -> Iterator[Pattern]:
        """The patterns that were not merged into others."""
        return (one for one in self.patterns.values() if one.merged_into is None)

    def now(self, id: str) -> str:
        """What the pattern with this id is today: itself, or what it was merged into."""
        seen = {id}
        while (after := self.patterns[id].merged_into) is not None and after not in seen:
            seen.add(after)
            id = after
        return id

    def name(self, id: str, name: str) -> Event:
        """Gives a pattern a name that stays. Raises KeyError if there is no such pattern."""
        pattern = self.patterns[id]
        event = Event("renamed", id, pattern.name)
        pattern.name, pattern.given = name, True
        return event

    def _count(self, pattern: Pattern, text: str, times: int, at: int) -> None:
        pattern.calls += times
        if len(pattern.examples) < EXAMPLES or self._dice.random() * pattern.calls < EXAMPLES:
            pattern.keep(shortened(text), self._dice.randrange(EXAMPLES), at)

    def _wait(self, shaped: str, text: str, key: str, at: int) -> None:
        self.fresh += 1
        waiting = self._waiting.get(shaped)
        if waiting is None:
            while len(self._waiting) >= WAITING or self._size > WAITING_SIZE:
                if self._dice.random() < WAITING / (WAITING + self.fresh):
                    return  # a sample: the more have come, the less each one counts
                self._forget(self._dice.choice(list(self._waiting)[:64]))
            waiting = self._waiting[shaped] = Waiting(shortened(text))
            self._size += len(waiting.text)
        waiting.times += 1
        waiting.at = max(at, waiting.at)
        if key and len(waiting.keys) < KEYS:
            waiting.keys.append(key)

    def _forget(self, shaped: str) -> None:
        self._size -= len(self._waiting.pop(shaped).text)

    def consolidate(self) -> Consolidated:
        """Finds, divides and merges patterns. Seconds of work for thousands of prompts."""
        templates = self._templates()
        before = {one.id: one.name for one in self.current()}
        self._room = MOST - len(before)
        events = self._succeed(succession(list(self.current()), templates), templates)
        self.reindex()
        found = self._settle()
        for shaped, waiting in list(self._waiting.items()):
            if (
                waiting.times >= LEAST and self._room > 0
            ):  # the same words again and again are a pattern, too
                id = self._born((shaped,))
                events.append(Event("born", id))
                found += self._found(id, shaped)
        self.reindex()
        self._name_all()
        events += [
            Event("renamed", id, name)
            for id, name in before.items()
            if self.patterns[id].merged_into is None and self.patterns[id].name != name
        ]
        self.fresh = 0
        return Consolidated(events, found)

    def _templates(self) -> list[Runs]:
        current = list(self.current())
        waiting = list(self._waiting)
        shapes = dict.fromkeys(waiting)
        candidates = {one.runs: None for one in current}
        for one in current:
            examples = [shape(text) for text in one.examples]
            shapes.update(dict.fromkeys(examples))
            if len(examples) >= 2 * LEAST:
                candidates.update(dict.fromkeys(divided(one.runs, list(dict.fromkeys(examples)))))
        candidates.update(dict.fromkeys(discovered(waiting)))
        candidates.pop((), None)
        return selected(list(candidates), list(shapes))

    def _succeed(self, who: Succession, templates: list[Runs]) -> list[Event]:
        events = []
        for runs, pattern in who.heirs.items():
            if pattern.runs != runs:
                pattern.runs = runs
                events.append(Event("reworded", pattern.id))
        for runs in templates:
            if runs not in who.heirs and self._room > 0:
                parent = who.parents.get(runs)
                events.append(Event("split" if parent else "born", self._born(runs), parent))
        for id, runs in who.merged.items():
            heir = who.heirs[runs]
            self._merge(self.patterns[id], heir)
            events.append(Event("merged", id, heir.id))
        return events

    def _merge(self, pattern: Pattern, heir: Pattern) -> None:
        pattern.merged_into = heir.id
        heir.calls += pattern.calls
        for text, at in pattern.examples.items():
            heir.keep(text, EXAMPLES, at)
        pattern.examples = {}

    def _born(self, runs: Runs) -> str:
        pattern = Pattern(self._new_id(), self.kind, runs, born=len(self.patterns))
        self.patterns[pattern.id] = pattern
        self._room -= 1
        return pattern.id

    def reindex(self) -> None:
        """After `patterns` was changed from outside: prompts are given to those that are there."""
        current = list(self.current())
        self._index = Index(one.runs for one in current)
        self._ids = [one.id for one in current]

    def _settle(self) -> list[tuple[str, str]]:
        """Gives what waits, and the examples, the patterns they have now."""
        for one in self.current():
            for text in list(one.examples):
                id = self.find(text)
                if id is not None and id != one.id:
                    self.patterns[id].keep(text, EXAMPLES, one.examples.pop(text))
        found = []
        for shaped in list(self._waiting):
            number = self._index.best(shaped)
            if number is not None:
                found += self._found(self._ids[number], shaped)
        return found

    def _found(self, id: str, shaped: str) -> list[tuple[str, str]]:
        waiting = self._waiting[shaped]
        self._forget(shaped)
        self._count(self.patterns[id], waiting.text, waiting.times, waiting.at)
        return [(key, id) for key in waiting.keys]

    def _name_all(self) -> None:
        taken = {one.name for one in self.current() if one.given}
        for one in self.current():
            one.rename(taken)
            taken.add(one.name)

    def to_json(self) -> dict[str, Any]:
        """All that is known, as plain values."""
        return {
            "version": 1,
            "kind": self.kind,
            "fresh": self.fresh,
            "patterns": [one.to_json() for one in self.patterns.values()],
            "waiting": [[one.text, one.times, one.keys, one.at] for one in self._waiting.values()],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], **how: Any) -> "Miner":
        """A miner that goes on where the state was taken. Raises ValueError for another format."""
        if state.get("version") != 1:
            raise ValueError(f"patterns of version {state.get('version')!r}: 1 is wanted")
        miner = cls(state["kind"], **how)
        miner.fresh = state["fresh"]
        for row in state["patterns"]:
            one = Pattern.from_json(row)
            miner.patterns[one.id] = one
        for text, times, keys, at in state["waiting"]:
            miner._waiting[shape(text)] = Waiting(text, times, list(keys), at)
            miner._size += len(text)
        miner.reindex()
        return miner
