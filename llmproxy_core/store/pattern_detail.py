"""One pattern: its template, versions, history, exemplars, and which others are like it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store import verdicts
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.pages import HIGHEST
from llmproxy_core.store.patterns import FAMILY, Sums
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.verdicts import Told
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Verdict

NEWEST_CALLS = 100
"""Of a version: by them it is told how it does."""
SUMMED = 4
"""Versions, the latest, of which that is told."""
NEAREST = 5
LEAST_LIKE = 0.2
MOST_COMPARED = 2000
MOST_HISTORY = 200
MOST_VERSIONS = 50
WORD = re.compile(r"\w+")

ABOUT = Prepared(
    text("""
SELECT p.pieces, p.structure, p.named_by, p.merged_into, p.wanted_at FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.id = :id
""")
)
PIECES = Prepared(
    text("""
SELECT p.id, p.name, p.pieces FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.kind = :kind AND p.merged_into IS NULL
ORDER BY p.last_seen DESC LIMIT :limit
""")
)
VERSIONS = Prepared(
    text("""
SELECT v.number, v.text, v.first_seen, v.last_seen, v.calls FROM pattern_versions v
WHERE v.ns_id = :ns_id AND v.pattern_id = :id ORDER BY v.number DESC LIMIT :limit
""")
)
HISTORY = Prepared(
    text(f"""
SELECT h.at, h.what, coalesce(p.name, ''), h.other, h.why, h.actor FROM ({FAMILY}) AS family
JOIN pattern_history h ON h.ns_id = family.ns_id AND h.pattern_id = family.id
LEFT JOIN prompt_patterns p ON p.ns_id = h.ns_id AND p.id = h.other
ORDER BY h.at DESC LIMIT :limit
""")  # noqa: S608
)
CALLS = Prepared(
    text(f"""
SELECT page.ns_id, page.request_id, page.version, page.model FROM ({FAMILY}) AS family
CROSS JOIN LATERAL (
    SELECT c.ns_id, c.request_id, c.version, c.model FROM pattern_calls c
    WHERE c.ns_id = family.ns_id AND c.pattern_id = family.id AND c.request_id < :before
    ORDER BY c.request_id DESC LIMIT :limit
) AS page ORDER BY page.request_id DESC LIMIT :limit
""")  # noqa: S608
)
OF_VERSION = Prepared(
    text("""
SELECT c.ns_id, c.request_id FROM pattern_calls c
WHERE c.ns_id = :ns_id AND c.pattern_id = :id AND c.version = :number
    AND c.request_id BETWEEN :low AND :high ORDER BY c.request_id DESC LIMIT :limit
""")
)


@dataclass(frozen=True, slots=True)
class About:
    """`pieces`: the template, None for each slot. `wanted_at`: somebody wants the advisor asked."""

    pieces: list[str | None]
    structure: dict[str, Any]
    named_by: str | None
    merged_into: UUID | None
    wanted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """A wording of a system prompt or a set of tools. `sums`: of its newest calls, no tokens; empty
    of all but the latest versions."""

    number: int
    text: str
    first_seen: datetime
    last_seen: datetime
    calls: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of a pattern. `other`: the name of another one that it is about, if that is there."""

    at: datetime
    what: str
    other: str
    other_id: UUID | None
    why: str
    actor: str


@dataclass(frozen=True, slots=True)
class PatternCall:
    """`verdict`: None while nothing that counts says anything. `signals`: those that stand."""

    ns_id: int
    request_id: UUID
    version: int | None
    model: str | None
    verdict: Verdict | None
    bad: frozenset[str]
    signals: tuple[Told, ...] = ()


def about(conn: Connection, ns_id: int, id: UUID) -> About | None:
    """None: there is no such pattern."""
    rows = ABOUT.rows(conn, ns_id=ns_id, id=id)
    return About(*rows[0]) if rows else None


def versions(
    conn: Connection, ns_id: int, id: UUID, counting: Collection[str] = COUNTED
) -> list[Version]:
    """The latest first."""
    rows = VERSIONS.rows(conn, ns_id=ns_id, id=id, limit=MOST_VERSIONS)
    asked = [_calls_of(conn, ns_id, id, row) for row in rows[:SUMMED]]
    signals = verdicts.signals(conn, [call for calls in asked for call in calls], standing=False)
    sums = [_sums(calls, signals, counting) for calls in asked]
    sums += [Sums()] * (len(rows) - len(asked))
    return [Version(*[*row, told]) for row, told in zip(rows, sums, strict=True)]


def history(conn: Connection, ns_id: int, id: UUID) -> list[Happened]:
    """The newest first, also what became of patterns that were merged into it."""
    rows = HISTORY.rows(conn, ns_ids=[ns_id], ids=[id], limit=MOST_HISTORY)
    return [Happened(*row) for row in rows]


def calls(
    conn: Connection,
    ns_id: int,
    id: UUID,
    *,
    limit: int = 20,
    before: UUID | None = None,
    counting: Collection[str] = COUNTED,
) -> list[PatternCall]:
    """The newest first: those with ids below `before`."""
    rows = CALLS.rows(conn, ns_ids=[ns_id], ids=[id], limit=limit, before=before or HIGHEST)
    signals = verdicts.signals(conn, [(ns_id, request) for ns_id, request, _, _ in rows])
    found = []
    for ns, request, version, model in rows:
        told = signals.get(request, [])
        stands = verdicts.standing(told, counting)
        found.append(
            PatternCall(ns, request, version, model, stands.verdict, stands.bad, tuple(told))
        )
    return found


def nearest(conn: Connection, ns_id: int, id: UUID, kind: PatternKind) -> list[tuple[UUID, str]]:
    """Patterns of the same kind whose wording has most words in common with this one's, by the
    share of the words of both; ids and names."""
    rows = PIECES.rows(conn, ns_id=ns_id, kind=kind, limit=MOST_COMPARED)
    words = {found: (name, _words("".join(map(_piece, pieces)))) for found, name, pieces in rows}
    _, own = words.pop(id, ("", frozenset[str]()))
    likely = [
        (len(own & other) / len(own | other), str(found), found, name)
        for found, (name, other) in words.items()
        if own & other
    ]
    best = sorted(likely, key=lambda one: (-one[0], one[1]))[:NEAREST]
    return [(found, name) for share, _, found, name in best if share >= LEAST_LIKE]


def _piece(piece: str | None) -> str:
    return " " if piece is None else piece


@lru_cache(MOST_COMPARED)
def _words(wording: str) -> frozenset[str]:
    return frozenset(WORD.findall(wording.lower()))


def _calls_of(conn: Connection, ns_id: int, id: UUID, row: Sequence[Any]) -> list[tuple[int, UUID]]:
    number, _, first, last, _ = row
    rows = OF_VERSION.rows(
        conn, ns_id=ns_id, id=id, number=number, low=_id_at(first), high=_id_at(last, 1),
        limit=NEWEST_CALLS,
    )  # fmt: skip
    return [(ns, request) for ns, request in rows]


def _sums(
    calls: Sequence[tuple[int, UUID]],
    signals: Mapping[UUID, Sequence[Told]],
    counting: Collection[str],
) -> Sums:
    standing = [verdicts.standing(signals.get(request, ()), counting) for _, request in calls]
    bad: dict[str, int] = {}
    for one in standing:
        for name in sorted(one.bad):
            bad[name] = bad.get(name, 0) + 1
    judged = sum(one.verdict is not None for one in standing)
    good = sum(one.verdict == "good" for one in standing)
    return Sums(len(calls), judged, good, bad=bad)


def _id_at(at: datetime, later: int = 0) -> UUID:
    """The first id of a time, or of one that is some ms later."""
    return UUID(int=min(max(0, int(at.timestamp() * 1000) + later), 2**48 - 1) << 80)
