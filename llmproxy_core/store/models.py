"""Which models there are, so that `model:` finds even rare ones by an index of exact names.

`requests` is indexed by the name asked for, and a filter knows a part of a name, perhaps of the
one that answered. `models` says which names were asked for where such a one was seen.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from llmproxy_core.store.batch import Batch
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.terms import folded
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]
type Pair = tuple[int, str, str]

MOST = 2000
"""Pairs of a namespace; of more, none but the mark is written."""
LONGEST = 200
MARK = "*"
FEW = 20
"""Names that are worth looking up one by one."""

ADD = """
INSERT INTO models (ns_id, asked, answered)
SELECT * FROM unnest(%s::int4[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
COUNT = "SELECT count(*) FROM models WHERE ns_id = %s"
NAMES = Prepared(
    text("""
SELECT DISTINCT m.asked, m.answered FROM namespaces n JOIN models m ON m.ns_id = n.ns_id
""")
)


class Models:
    """The writer's part: adds the pairs that it has not met."""

    def __init__(self) -> None:
        self._known: set[Pair] = set()
        self._counts: dict[int, int] = {}

    def write(self, connection: PgConnection, batch: Batch) -> None:
        """Within the transaction of the batch; call `doubt` if that is rolled back."""
        new = sorted({pair for pair in _pairs(batch) if pair not in self._known})
        if new:
            rows = sorted({self._admitted(connection, pair) for pair in new})
            connection.execute(ADD, [list(column) for column in zip(*rows, strict=True)])

    def doubt(self) -> None:
        self._known.clear()
        self._counts.clear()

    def _admitted(self, connection: PgConnection, pair: Pair) -> Pair:
        ns_id = pair[0]
        if ns_id not in self._counts:
            found = connection.execute(COUNT, [ns_id]).fetchone()
            self._counts[ns_id] = found[0] if found else 0
        if self._counts[ns_id] >= MOST or max(map(len, pair[1:])) > LONGEST:
            return (ns_id, MARK, MARK)
        self._counts[ns_id] += 1
        self._known.add(pair)
        return pair


def asked_names(conn: Connection, parts: Sequence[str]) -> list[str] | None:
    """The names asked for in all flows whose asked or answered model holds each of `parts`, and
    perhaps in others.

    None where that is of no use: there are too many, not all are known, or some named no model.
    """
    wanted = [folded(part) for part in parts]
    everything: set[str] = set()
    names: set[str] = set()
    for asked, answered in NAMES.rows(conn):
        everything.add(asked)
        if all(part in folded(asked) or part in folded(answered) for part in wanted):
            names.add(asked)
    if {"", MARK} & names or MARK in everything or len(names) > FEW or names == everything:
        return None
    return sorted(names)


def _pairs(batch: Batch) -> Iterator[Pair]:
    for row in batch.requests:
        yield (row.ns_id, clean(row.model or ""), "")
    for ended in batch.rollups:
        yield (ended.ns_id, clean(ended.asked or ""), clean(ended.answered or ""))
