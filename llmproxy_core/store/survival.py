"""Which blobs the documents of survivors need: those they name, and what unpacks these."""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from llmproxy_core.errors import StoreError
from llmproxy_core.spans.edits import references
from llmproxy_core.spans.items import HASH
from llmproxy_core.spans.packing import Unpacker, lexicon_of, listed
from llmproxy_core.store.archive import SPANS, UNPROVEN
from llmproxy_core.store.partitions import epoch_of

type PgConnection = psycopg.Connection[Any]
type Place = tuple[int, int]
"""Namespace and epoch."""

PORTION = 1000

KEPT_BLOBS = """
CREATE TEMPORARY TABLE IF NOT EXISTS kept_blobs (
    ns_id integer, epoch integer, hash uuid, PRIMARY KEY (ns_id, epoch, hash)
);
TRUNCATE kept_blobs
"""
DOCUMENTS = "SELECT ns_id, id, body FROM {} WHERE ns_id = ANY (%s) AND body_encoding = ANY (%s)"
BLOBS = "SELECT data FROM blobs WHERE ns_id = %s AND epoch = %s AND hash = ANY (%s)"
# enough to see the lexicon
BEGINNINGS = f"""
SELECT substring(data FROM 1 FOR {1 + HASH}) FROM blobs
WHERE ns_id = %s AND epoch = %s AND hash = ANY (%s)
"""  # noqa: S608
KEEP = """
INSERT INTO kept_blobs SELECT %s, %s, * FROM unnest(%s::uuid[]) ON CONFLICT DO NOTHING
"""


class Survival:
    """Fills the temporary table `kept_blobs`, made here."""

    def __init__(self, connection: PgConnection) -> None:
        self._connection = connection
        self._found: dict[Place, set[bytes]] = {}
        connection.execute(KEPT_BLOBS)

    def read(self, table: sql.Identifier, spaces: Iterable[int]) -> None:
        """Look into the documents of a table like `requests` or `responses`."""
        with self._connection.cursor(name="documents") as cursor:
            cursor.execute(sql.SQL(DOCUMENTS).format(table), [list(spaces), [SPANS, UNPROVEN]])
            for ns_id, id, body in cursor:
                named = self._found.setdefault((ns_id, epoch_of(id)), set())
                named |= references(body)

    def keep(self) -> None:
        """Write down all that was found."""
        for place, named in self._found.items():
            for portion in batched(self._closed(place, named), PORTION):
                ids = [UUID(bytes=digest) for digest in portion]
                self._connection.execute(KEEP, [*place, ids])

    def _closed(self, place: Place, named: set[bytes]) -> set[bytes]:
        """With the lexicons that unpack them, and the pieces of these."""
        known: set[bytes] = set()
        lexicons: set[bytes] = set()
        while named:
            known |= named
            new = {
                lexicon
                for beginning in self._fetch(BEGINNINGS, place, named)
                if (lexicon := lexicon_of(beginning))
            } - lexicons
            lexicons |= new
            unpacker = Unpacker(_nothing)
            pieces = {
                piece
                for listing in self._fetch(BLOBS, place, new)
                for piece in listed(unpacker.unpack(listing))
            }
            named = (new | pieces) - known
        return known

    def _fetch(self, query: str, place: Place, hashes: set[bytes]) -> Iterator[bytes]:
        for portion in batched(hashes, PORTION):
            ids = [UUID(bytes=digest) for digest in portion]
            for (data,) in self._connection.execute(query, [*place, ids]):
                yield data


def _nothing(hashes: set[bytes]) -> dict[bytes, bytes]:
    raise StoreError(f"{len(hashes)} pieces were needed to read which pieces are needed.")
