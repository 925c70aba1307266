"""Names that were shortened for a prefix: each set of them once, by its hash.

An agent sends the same tools with every turn, and so the same names. `epoch`: the last week that
needs a set; it goes with that week.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import Connection

from llmproxy_core.hashing import content_hash
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.partitions import epoch_of
from llmproxy_core.store.prepared import cursor
from llmproxy_core.store.values import cleaned

type Names = Mapping[str, str]
type Place = tuple[int, UUID, int]
"""ns_id, hash, epoch"""

KNOWN = 10_000
ADD = """
INSERT INTO shortened_names AS known (ns_id, hash, epoch, names)
SELECT ns_id, hash, epoch, names::jsonb
FROM unnest(%s::int4[], %s::uuid[], %s::int4[], %s::text[]) AS new (ns_id, hash, epoch, names)
ON CONFLICT (ns_id, hash) DO UPDATE SET epoch = greatest(known.epoch, excluded.epoch)
"""
READ = """
SELECT ns_id, hash, names FROM shortened_names
WHERE ns_id = ANY (%s::int4[]) AND hash = ANY (%s::uuid[])
"""
DROP = "DELETE FROM shortened_names WHERE epoch < %s"


def set_id(names: Names | None) -> UUID | None:
    """None: there are none."""
    return UUID(bytes=content_hash(_text(names))) if names else None


class ShortenedNames:
    """On their way in. Takes for stored what it has stored, until told to `forget`."""

    def __init__(self) -> None:
        self._known: set[Place] = set()
        self._new: dict[Place, str] = {}

    def add(self, row: RequestRow) -> None:
        if row.shortened and (id := set_id(row.shortened)):
            place = (row.ns_id, id, epoch_of(row.id))
            if place not in self._known:
                self._new[place] = _text(row.shortened).decode()

    def store(self, connection: psycopg.Connection[Any]) -> None:
        """In the order of the keys, so that two workers cannot deadlock."""
        if not self._new:
            return
        # a statement may not meet a row twice: the last week of each set counts
        latest = {place[:2]: (*place, text) for place, text in sorted(self._new.items())}
        connection.execute(ADD, [list(column) for column in zip(*latest.values(), strict=True)])
        if len(self._known) > KNOWN:
            self._known.clear()
        self._known.update(self._new)
        self._new.clear()

    def forget(self) -> None:
        self._known.clear()
        self._new.clear()


def restore(conn: Connection, rows: Collection[dict[str, Any]]) -> None:
    """Put the names in the place of their hashes, in rows of `requests`."""
    wanted = [(row["ns_id"], row["shortened"]) for row in rows if row["shortened"] is not None]
    if not wanted:
        return
    with cursor(conn) as answers:
        spaces, hashes = (list(set(column)) for column in zip(*wanted, strict=True))
        found = answers.execute(READ, [spaces, hashes]).fetchall()
    known = {(ns_id, id): names for ns_id, id, names in found}
    for row in rows:
        if row["shortened"] is not None:
            row["shortened"] = known.get((row["ns_id"], row["shortened"]), {})


def drop(connection: psycopg.Connection[Any], oldest: int) -> None:
    """Those that no week needs any more; `oldest`: the first that is there."""
    connection.execute(DROP, [oldest])


def _text(names: Names) -> bytes:
    return orjson.dumps(cleaned(dict(names)), option=orjson.OPT_SORT_KEYS)
