"""Stored headers and bodies on their way out: as they passed, byte for byte."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from llmproxy_core.errors import StoreError
from llmproxy_core.hashing import content_hash
from llmproxy_core.spans import edits, frame, items
from llmproxy_core.spans.frame import Document
from llmproxy_core.spans.items import Item
from llmproxy_core.spans.packing import Unpacker
from llmproxy_core.store.archive import SPANS, UNPROVEN
from llmproxy_core.store.partitions import epoch_of

CHAIN = """
WITH RECURSIVE chain (base_id, body, step) AS (
    SELECT base_id, body, 0 FROM {table} WHERE ns_id = %(ns_id)s AND id = %(id)s
    UNION ALL
    SELECT r.base_id, r.body, chain.step + 1
    FROM chain JOIN {table} r ON r.ns_id = %(ns_id)s AND r.id = chain.base_id
    WHERE chain.step < 256
)
SELECT base_id, body FROM chain ORDER BY step DESC
"""
BLOBS = """
SELECT uuid_send(hash), data FROM blobs
WHERE ns_id = %s AND epoch = %s AND hash = ANY (%s::uuid[])
"""


def is_document(encoding: str | None) -> bool:
    return encoding in (SPANS, UNPROVEN)


def document(
    conn: Connection, table: str, ns_id: int, id: UUID, *, proof: bytes | None = None
) -> Document:
    """The document of a row of `requests` or `responses`. `proof`: the hash of its body.

    Raises:
        StoreError: something of it is missing or damaged.
    """
    epoch = epoch_of(id)
    unpacker = Unpacker(lambda hashes: _blobs(conn, ns_id, epoch, hashes))
    try:
        manifest = _manifest(conn, table, ns_id, id, unpacker)
        found = frame.opened(items.join(manifest, unpacker.pieces(items.hashes(manifest))))
    except KeyError as exc:
        raise _damaged(table, id, f"its piece {exc.args[0].hex()} is missing") from exc
    except (ValueError, IndexError) as exc:
        raise _damaged(table, id, str(exc)) from exc
    if proof is not None and content_hash(found.body) != proof:
        raise _damaged(table, id, "it is not what passed")
    return found


def _manifest(conn: Connection, table: str, ns_id: int, id: UUID, unpacker: Unpacker) -> list[Item]:
    """Made from the edits that lead to it, the oldest first."""
    chain = _fetch(conn, CHAIN.format(table=table), {"ns_id": ns_id, "id": id})
    if not chain or chain[0][0] is not None:
        raise ValueError(f"what it builds on is missing: {chain[0][0] if chain else id}")
    halves = [edits.read_stored(body) for _, body in chain]
    manifest: list[Item] = []
    for half, steps in zip(halves, unpacker.steps(half.steps for half in halves), strict=True):
        manifest = edits.apply(edits.Edit(half.hashes, steps), manifest)
    return manifest


def _blobs(conn: Connection, ns_id: int, epoch: int, hashes: set[bytes]) -> dict[bytes, bytes]:
    if not hashes:
        return {}
    listed = ",".join([digest.hex() for digest in hashes])
    return dict(_fetch(conn, BLOBS, [ns_id, epoch, f"{{{listed}}}"]))


def _fetch(conn: Connection, query: str, values: Any) -> list[Any]:
    """In binary: bodies as text would take twice their size."""
    driver: Any = conn.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        found: list[Any] = cursor.execute(query, values).fetchall()
        return found


def _damaged(table: str, id: UUID, what: str) -> StoreError:
    side = table.removesuffix("s")
    return StoreError(
        f"The {side} of flow {id} cannot be read back: {what}. The store is damaged; "
        "other flows are not affected. Restore it from a backup."
    )
