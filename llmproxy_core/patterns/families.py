"""The wordings of one system prompt, or of one tool set, as they followed each other."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from llmproxy_core.hashing import checksum
from llmproxy_core.patterns.openings import openings
from llmproxy_core.patterns.outlines import Lines, hashed, outline
from llmproxy_core.patterns.readings import SYSTEM, Reading
from llmproxy_core.patterns.shingles import Signature, runs, signature

CONFIRMED = 2
"""Sessions that must have a wording before it is a version."""
VALUES = 4
"""Of what a line names: from then on it is a slot, and no change of wording."""
MOST_VERSIONS = 200
MOST_CANDIDATES = 64
MOST_HEADS = 2_000
MOST_SESSIONS = 4


@dataclass(slots=True)
class Wording:
    """`number`: 0 while it is no version. `outline`: hash of what its lines begin with. `first`, `last`: ns since 1970. `same_as`: the number of
    the older version that this one turned out to be, else 0."""

    number: int
    outline: int
    lines: Lines
    signature: Signature
    size: int
    first: int
    last: int
    count: int = 0
    sessions: list[int] = field(default_factory=list)
    same_as: int = 0
    opening: tuple[int, ...] = ()
    """Hashes of the words that it opens with; empty: not known."""

    def seen(self, at: int, session: int) -> None:
        self.first, self.last = min(self.first, at), max(self.last, at)
        self.count += 1
        if session not in self.sessions and len(self.sessions) < MOST_SESSIONS:
            self.sessions.append(session)


@dataclass(slots=True)
class Family:
    """`versions` by number, oldest first; `candidates` by key, the latest last."""

    id: str
    versions: list[Wording] = field(default_factory=list)
    candidates: OrderedDict[int, Wording] = field(default_factory=OrderedDict)
    keys: dict[int, Wording] = field(default_factory=dict)
    named: dict[int, list[int]] = field(default_factory=dict)
    """Of each head the values that were seen; VALUES of them make it a slot."""

    @property
    def latest(self) -> Wording:
        """The version that was used last."""
        return max(self.versions, key=lambda version: (version.last, version.number))

    def of(self, wording: Wording) -> Wording:
        """The version that it counts as."""
        while wording.same_as:
            wording = self.versions[wording.same_as - 1]
        return wording

    def key(self, lines: Lines) -> int:
        """Equal for texts that differ in slots only."""
        told = (0 if rest and self._is_slot(head) else rest for head, rest in lines)
        parts = (f"{head:x} {rest:x}" for (head, _), rest in zip(lines, told, strict=True))
        return checksum("\n".join(parts).encode())

    def learn(self, lines: Lines) -> bool:
        """Notes what lines name. Has any of them become a slot?"""
        found = False
        for head, rest in lines:
            values = self.named.get(head)
            if not rest or (values is None and len(self.named) >= MOST_HEADS):
                continue
            values = self.named.setdefault(head, [])
            if rest not in values and len(values) < VALUES:
                values.append(rest)
                found = found or len(values) == VALUES
        return found

    def settle(self) -> None:
        """After a slot was found: versions that differ in nothing else become the oldest of them."""
        self.keys = {}
        for version in self.versions:
            same = self.keys.setdefault(self.key(version.lines), version)
            if same is not version and not version.same_as:
                version.same_as = same.number
                _add(same, version)
        waiting, self.candidates = self.candidates, OrderedDict()
        for candidate in waiting.values():
            key = self.key(candidate.lines)
            known = self.keys.get(key) or self.candidates.get(key)
            if known is None:
                self.candidates[key] = candidate
            else:
                _add(self.of(known) if known.number else known, candidate)

    def nearest(self, lines: Lines) -> Wording:
        """The version with the most lines of these; of several the one that was used last."""
        told = set(lines)
        shared = [
            (len(told.intersection(version.lines)), version.last, version.number)
            for version in self.versions[-MOST_CANDIDATES:]
        ]
        return self.of(self.versions[max(shared)[2] - 1])

    def _is_slot(self, head: int) -> bool:
        return len(self.named.get(head, ())) >= VALUES


class Text:
    """A text, read only as far as is asked for.

    `outline`: see `outlines`.
    """

    def __init__(self, lines: Sequence[str], reading: Reading = SYSTEM) -> None:
        self._lines = lines
        self.reading = reading
        self.read = hashed(reading.heads(lines))
        self.outline = outline(self.read)

    @cached_property
    def signed(self) -> tuple[Signature, int]:
        """With the number of its runs."""
        hashes = runs(self.reading.says(self._lines))
        return signature(hashes), int(hashes.size)

    @cached_property
    def opening(self) -> tuple[int, ...]:
        """See `Wording.opening`."""
        return tuple(sorted(self.openings[0])) if self.openings else ()

    @cached_property
    def openings(self) -> list[set[int]]:
        """See `openings.openings`; none where no line says who it is."""
        return openings(self._lines) if self.reading.opens else []


def to_row(family: Family) -> dict[str, Any]:
    """As JSON can have it."""
    return {
        "id": family.id,
        "versions": [_wording_row(one) for one in family.versions],
        "candidates": [_wording_row(one) for one in family.candidates.values()],
        "named": [[head, *values] for head, values in family.named.items()],
    }


def from_row(row: Mapping[str, Any]) -> Family:
    """Raises KeyError, TypeError or ValueError for what `to_row` has not made."""
    family = Family(str(row["id"]))
    family.versions = [_wording(one) for one in row["versions"]]
    family.named = {int(head): [int(one) for one in values] for head, *values in row["named"]}
    if not family.versions:
        raise ValueError("a family without a version")
    for version in family.versions:
        family.keys.setdefault(family.key(version.lines), version)
    for one in row["candidates"]:
        candidate = _wording(one)
        family.candidates[family.key(candidate.lines)] = candidate
    return family


def _add(into: Wording, other: Wording) -> None:
    into.first, into.last = min(into.first, other.first), max(into.last, other.last)
    into.count += other.count
    into.sessions = list(dict.fromkeys(into.sessions + other.sessions))[:MOST_SESSIONS]


def _wording_row(one: Wording) -> dict[str, Any]:
    return {
        "number": one.number,
        "outline": one.outline,
        "lines": [number for line in one.lines for number in line],
        "signature": [int(place) for place in one.signature],
        "size": one.size,
        "first": one.first,
        "last": one.last,
        "count": one.count,
        "sessions": one.sessions,
        "same_as": one.same_as,
        "opening": list(one.opening),
    }


def _wording(row: Mapping[str, Any]) -> Wording:
    numbers = [int(number) for number in row["lines"]]
    return Wording(
        int(row["number"]),
        int(row["outline"]),
        tuple(zip(numbers[::2], numbers[1::2], strict=True)),
        np.array(row["signature"], np.uint64),
        int(row["size"]),
        int(row["first"]),
        int(row["last"]),
        int(row["count"]),
        [int(one) for one in row["sessions"]],
        int(row["same_as"]),
        tuple(int(word) for word in row.get("opening", ())),
    )
