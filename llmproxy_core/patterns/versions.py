"""System prompts and tool sets as patterns with versions: v1, v2, ... of the same one.

A text that has much in common with one that was seen before is a wording of the same pattern; once
CONFIRMED sessions had it, it is a version of its own, counted from when it was first seen. What
passes (dates, ids, paths, see `documents.py`) and what a line names differently again and again
(`User name: ...`) makes no version. A wording that comes back is the version that it was. Memory is
bounded: the patterns unseen for longest are forgotten, and then would get another id.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from llmproxy_core.hashing import checksum
from llmproxy_core.patterns.families import (
    CONFIRMED,
    MOST_CANDIDATES,
    MOST_VERSIONS,
    Family,
    Text,
    Wording,
    from_row,
    to_row,
)
from llmproxy_core.patterns.openings import opens_as
from llmproxy_core.patterns.readings import SYSTEM, Reading
from llmproxy_core.patterns.shingles import (
    Signature,
    bands,
    containment,
    similarity,
)

CONTAINED = 0.9
SAME = 0.9
"""From here on a text is the same even if it opens otherwise."""
SIMILAR_AT_LEAST = 0.3
LONG = 60
"""Runs of words from which on a text that only grew is known by what it still contains."""
MOST_FAMILIES = 2_000
INDEXED = 4
"""Versions of a pattern, the latest, by which it is found."""
MOST_KNOWN = 1_024
"""Texts that are known without being read again."""
MOST_OUTLINED = 16
"""Wordings of a pattern by which a proxy knows it."""
MOST_OUTLINES = 100_000
"""Texts whose pattern is known by what their lines begin with."""


@dataclass(frozen=True, slots=True)
class Version:
    """`first`, `last`: ns since 1970. `same_as`: the older version it turned out to be, or None."""

    pattern: str
    number: int
    first: int
    last: int
    count: int
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """`exact`: it is this version; else a wording that is no version, or not yet, and is nearest
    to this one. `new`: it has become a version, or a pattern, just now."""

    pattern: str
    number: int
    exact: bool
    new: bool


class Versions:
    """Those of one kind in one namespace. `new_id`: makes the ids of patterns."""

    def __init__(self, new_id: Callable[[], str] = lambda: str(uuid4())) -> None:
        self._new_id = new_id
        self._families: OrderedDict[str, Family] = OrderedDict()
        self._index: defaultdict[bytes, list[str]] = defaultdict(list)
        self._outlines: OrderedDict[int, str] = OrderedDict()
        self._known: OrderedDict[int, Text] = OrderedDict()

    def __len__(self) -> int:
        """Patterns."""
        return len(self._families)

    def see(
        self,
        text: str,
        at: int,
        session: str,
        reading: Reading = SYSTEM,
    ) -> Sighting | None:
        """A call had this text at `at` (ns since 1970), in `session`. None: it says nothing.

        `reading`: `readings.TOOLS` for the lines of `documents.tool_lines`. Calls may be told late and in any order: only which of two wordings
        has the lower number depends on it.
        """
        told = checksum(text.encode("utf-8", "replace"))
        read = self._known.get(told)
        if read is None:
            read = Text(reading.lines(text), reading)
            _remember(self._known, told, read, MOST_KNOWN)
        if not read.read:
            return None
        return self._count(self._find(read), read, at, checksum(session.encode("utf-8", "replace")))

    def versions(self, pattern: str) -> list[Version]:
        """By number. Empty for a pattern that is not known."""
        family = self._families.get(pattern)
        return [_version(pattern, one) for one in family.versions] if family else []

    def patterns(self) -> list[str]:
        """The ids, the one seen last at the end."""
        return list(self._families)

    def family(self, pattern: str) -> Family | None:
        """What is known of a pattern; None: nothing, or no longer."""
        return self._families.get(pattern)

    def outlines(self) -> dict[int, str]:
        """By which a pattern is known at a glance: `families.Text.outline` of its latest wordings."""
        return {
            wording.outline: family.id
            for family in self._families.values()
            for wording in (*family.candidates.values(), *family.versions)[-MOST_OUTLINED:]
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """All that is known, one row a pattern, as JSON can have it."""
        return [to_row(family) for family in self._families.values()]

    @classmethod
    def from_rows(
        cls, rows: Iterable[Any], new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> "Versions":
        """Goes on where `to_rows` ended. Raises ValueError for a row that it has not made."""
        made = cls(new_id)
        for row in rows:
            try:
                family = from_row(row)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"no row of a versioned pattern: {error!r}") from error
            made._families[family.id] = family
            for version in family.versions[-INDEXED:]:
                made._enter(family, version.signature)
            for wording in (*family.versions, *family.candidates.values()):
                _remember(made._outlines, wording.outline, family.id, MOST_OUTLINES)
        return made

    def _find(self, text: Text) -> Family:
        """The pattern that this text is a wording of; a new one if there is none."""
        told = self._families.get(self._outlines.get(text.outline, ""))
        family = told or self._similar(text)
        if family is None:
            family = Family(self._new_id())
            self._families[family.id] = family
            while len(self._families) > MOST_FAMILIES:
                self._forget(next(iter(self._families)))
        self._families.move_to_end(family.id)
        _remember(self._outlines, text.outline, family.id, MOST_OUTLINES)
        return family

    def _similar(self, text: Text) -> Family | None:
        """The most similar pattern; of several the one that was used last."""
        signed, size = text.signed
        ids = {id for band in bands(signed) for id in self._index.get(band, ())}
        near: list[tuple[float, int, str]] = []
        for id in ids:
            family = self._families[id]
            best = max(_nearness(text, signed, size, one) for one in family.versions[-INDEXED:])
            if best:
                near.append((best, family.latest.last, id))
        return self._families[max(near)[2]] if near else None

    def _count(self, family: Family, text: Text, at: int, session: int) -> Sighting:
        if family.learn(text.read):
            family.settle()
        key = family.key(text.read)
        wording = family.keys.get(key) or family.candidates.get(key)
        if wording is None:
            wording = Wording(
                0, text.outline, text.read, *text.signed, at, at, opening=text.opening
            )
            _remember(family.candidates, key, wording, MOST_CANDIDATES)
        wording = family.of(wording)
        wording.seen(at, session)
        new = not wording.number and _ripe(family, wording)
        if new:
            self._number(family, key, wording)
        if wording.number:
            return Sighting(family.id, wording.number, True, new)
        return Sighting(family.id, family.nearest(text.read).number, False, False)

    def _number(self, family: Family, key: int, wording: Wording) -> None:
        family.candidates.pop(key, None)
        wording.number = len(family.versions) + 1
        family.versions.append(wording)
        family.keys[key] = wording
        self._enter(family, wording.signature)
        if len(family.versions) > INDEXED:
            old, *kept = family.versions[-INDEXED - 1 :]
            needed = {band for one in kept for band in bands(one.signature)}
            self._leave(family, set(bands(old.signature)) - needed)

    def _enter(self, family: Family, signed: Signature) -> None:
        for band in bands(signed):
            if family.id not in (ids := self._index[band]):
                ids.append(family.id)

    def _leave(self, family: Family, left: Iterable[bytes]) -> None:
        for band in left:
            ids = self._index.get(band, [])
            if family.id in ids:
                ids.remove(family.id)
            if not ids:
                self._index.pop(band, None)

    def _forget(self, id: str) -> None:
        family = self._families.pop(id)
        for version in family.versions[-INDEXED:]:
            self._leave(family, bands(version.signature))


def _ripe(family: Family, wording: Wording) -> bool:
    if not family.versions:
        return True
    return len(wording.sessions) >= CONFIRMED and len(family.versions) < MOST_VERSIONS


def _nearness(text: Text, signed: Signature, size: int, other: Wording) -> float:
    """How similar, or 0 for what is no wording of the same.

    Programs of one framework share most of a prompt, and open with who each of them is.
    """
    similar = similarity(signed, other.signature)
    if similar < SAME and not opens_as(text.openings, other.opening):
        return 0.0
    if similar >= text.reading.similar:
        return similar
    if similar < SIMILAR_AT_LEAST or min(size, other.size) < LONG:
        return 0.0
    return similar if containment(similar, size, other.size) >= CONTAINED else 0.0


def _version(pattern: str, one: Wording) -> Version:
    return Version(pattern, one.number, one.first, one.last, one.count, one.same_as or None)


def _remember[K, V](table: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > most:
        table.popitem(last=False)
