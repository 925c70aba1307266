"""Full-text search: week by week from the newest, newest first.

Many calls have a common word: it is found by reading the newest calls through, and stopping when
there are enough. Rare words are found by the index of the week. The first window tells which.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.formats import read_request
from llmproxy_core.store import detail
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.query import Query
from llmproxy_core.words import holds, low_half

WINDOW = 1000
"""Calls that are read through first."""
PORTION = 200
"""Answers whose words are looked into at once."""
READ_MOST = 500
"""Calls whose texts are read for one search in quotes."""
LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)

type Key = tuple[int, UUID]
type Keep = Callable[[list[Key]], list[Flow]]
"""The flows of these keys that are wanted, newest first."""

WEEKS = Prepared(
    text("""
SELECT c.oid::regclass::text, c.reltuples,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid),
    coalesce(llmproxy_week_start(substring(c.relname FROM '_w([0-9]+)$')::integer), :lowest)
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
JOIN pg_class a ON a.relnamespace = c.relnamespace
    AND a.relname = 'responses' || substring(c.relname FROM 7)
WHERE h.inhparent = 'search'::regclass
    AND greatest(pg_relation_size(c.oid), pg_relation_size(a.oid)) > 0
ORDER BY 4 DESC
""")
)

FIND = Prepared(
    text("""
SELECT ns_id, id FROM llmproxy_search(CAST(:part AS regclass), CAST(:wanted AS integer[]),
    CAST(:unwanted AS integer[]), :low, :high, :most, :through)
""")
)

BESIDE = Prepared(
    text("""
SELECT s.ns_id, s.id, s.words FROM responses s
WHERE s.id >= :low AND s.id < :high AND s.words IS NOT NULL
    AND position(:first in s.words) > 0 AND position(:second in s.words) > 0
    AND position(:third in s.words) > 0
ORDER BY s.id DESC LIMIT :most
""")
)
"""What may have the words, of those that are kept beside the answers."""

EDGE = Prepared(
    text("""
SELECT newest.id FROM namespaces n, LATERAL (
    SELECT r.id FROM requests r WHERE r.ns_id = n.ns_id AND r.id >= :low AND r.id < :high
    ORDER BY r.id DESC OFFSET :size LIMIT 1) AS newest
ORDER BY 1 DESC LIMIT 1
""")
)


@dataclass(frozen=True, slots=True)
class Week:
    part: str
    rows: float
    indexed: bool
    low: UUID


def search(
    conn: Connection, wanted: Query, keep: Keep, *, limit: int, before: UUID | None = None
) -> list[Flow]:
    """The newest `limit` flows with ids below `before` that `wanted` and `keep` let through.

    Of a search in quotes the newest READ_MOST calls that have all of its words are looked into.
    """
    found: list[Flow] = []
    looked = 0
    for keys in _gathered(_candidates(conn, wanted, before or HIGHEST, limit), limit):
        flows = keep(keys)
        if not wanted.exact:
            looked += len(flows)
            flows = [flow for flow in flows if wanted.holds(text_of(conn, flow))]
        found += flows
        if len(found) >= limit or looked >= READ_MOST:
            break
    return found[:limit]


def _gathered(portions: Iterator[list[Key]], least: int) -> Iterator[list[Key]]:
    """The same in larger portions."""
    waiting: list[Key] = []
    for keys in portions:
        waiting += keys
        if len(waiting) >= least:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def text_of(conn: Connection, flow: Flow) -> str:
    """All that was said in a call, for a look at the words themselves."""
    asked = detail.request(conn, flow.ns_id, flow.id)
    answered, calls = detail.answer(conn, flow.ns_id, flow.id)
    texts: list[str] = []
    if asked is not None:
        body, _ = decode_body(asked.headers, asked.body)
        request, _ = read_request(asked.wire, asked.path, asked.headers, body)
        parts = [*request.system, *(part for said in request.messages for part in said.parts)]
        texts += [part.text for part in parts]
    if answered is not None:
        texts += [answered.text, answered.reasoning, answered.refusal or ""]
        texts += [f"{call.name} {call.arguments}" for call in calls]
    return "\n".join(texts)


def _candidates(conn: Connection, wanted: Query, before: UUID, most: int) -> Iterator[list[Key]]:
    """Keys of flows with the words, newest first, in portions."""
    high = before
    weeks = [Week(*row) for row in WEEKS.rows(conn, lowest=LOWEST)]
    for week in weeks:
        if week.low < high:
            yield from _in_week(conn, wanted, week, high, most)
            high = min(high, week.low)


def _in_week(
    conn: Connection, wanted: Query, week: Week, high: UUID, most: int
) -> Iterator[list[Key]]:
    """Rows of the search, and words beside answers."""
    for keys in _in_rows(conn, wanted, week, high, most):
        low = keys[-1][1]
        for others in _beside(conn, wanted, low, high, most):
            keys += others
        yield sorted(keys, key=_id, reverse=True)
        high = low
    yield from _beside(conn, wanted, week.low, high, most)


def _id(key: Key) -> UUID:
    return key[1]


def _beside(
    conn: Connection, wanted: Query, low: UUID, high: UUID, most: int
) -> Iterator[list[Key]]:
    """In pages: of rare words all is read through, of common ones the newest."""
    halves = [low_half(word) for word in wanted.wanted[:3]]
    first, second, third = [*halves, b"", b"", b""][:3]
    size = max(most, PORTION)
    while True:
        rows = BESIDE.rows(
            conn, low=low, high=high, first=first, second=second, third=third, most=size
        )
        keys = [
            (ns_id, id)
            for ns_id, id, data in rows
            if all(holds(data, word) for word in wanted.wanted)
            and not any(holds(data, word) for word in wanted.unwanted)
        ]
        if keys:
            yield keys
        if len(rows) < size:
            return
        high = rows[-1][1]


def _in_rows(
    conn: Connection, wanted: Query, week: Week, high: UUID, most: int
) -> Iterator[list[Key]]:
    size = WINDOW
    while week.indexed:
        edges = EDGE.rows(conn, low=week.low, high=high, size=size)
        if not edges:
            break
        edge = edges[0][0]
        found = 0
        for keys in _pages(conn, wanted, week, edge, high, most, through=True):
            found += len(keys)
            yield keys
        high = edge
        if wanted.wanted and found / size < math.sqrt(most / max(week.rows, size)):
            break  # by the index, that is less to read
        size = min(2 * size, 16 * WINDOW)
    through = not (week.indexed and wanted.wanted)
    yield from _pages(conn, wanted, week, week.low, high, most, through=through)


def _pages(
    conn: Connection, wanted: Query, week: Week, low: UUID, high: UUID, most: int, *, through: bool
) -> Iterator[list[Key]]:
    while True:
        keys = _find(conn, wanted, week, low, high, most, through)
        if keys:
            yield keys
        if len(keys) < most:
            return
        high = keys[-1][1]


def _find(
    conn: Connection, wanted: Query, week: Week, low: UUID, high: UUID, most: int, through: bool
) -> list[Key]:
    values = {
        "part": week.part,
        "wanted": list(wanted.wanted),
        "unwanted": list(wanted.unwanted),
        "low": low,
        "high": high,
        "most": most,
        "through": through,
    }
    return [(row[0], row[1]) for row in FIND.rows(conn, **values)]
