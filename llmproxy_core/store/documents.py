"""Stored headers and bodies on their way out: as they passed, byte for byte."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from llmproxy_core.errors import StoreError
from llmproxy_core.hashing import content_hash
from llmproxy_core.spans import edits, frame, items
from llmproxy_core.spans.frame import Document
from llmproxy_core.spans.items import Item
from llmproxy_core.spans.packing import Anchor, Unpacker
from llmproxy_core.store.archive import SPANS, UNPROVEN
from llmproxy_core.store.partitions import WEEK_MS, epoch_of
from llmproxy_core.store.prepared import cursor

type Key = tuple[int, UUID]
"""(ns_id, id)"""

# OFFSET: each row is looked up by its key, however many a planner expects.
CHAINS = """
WITH RECURSIVE chain (id, base_id, body) AS (
    SELECT id, base_id, body FROM {table}
    WHERE ns_id = %(ns_id)s AND id = ANY (%(ids)s) AND id BETWEEN %(low)s AND %(high)s
    UNION
    SELECT base.* FROM chain, LATERAL (
        SELECT r.id, r.base_id, r.body FROM {table} r
        WHERE r.ns_id = %(ns_id)s AND r.id = chain.base_id AND r.id BETWEEN %(low)s AND %(high)s
        OFFSET 0
    ) AS base
)
SELECT id, base_id, body FROM chain
"""
BLOBS = """
SELECT uuid_send(hash), data FROM blobs
WHERE ns_id = %s AND epoch = %s AND hash = ANY (%s::uuid[])
"""


def is_document(encoding: str | None) -> bool:
    return encoding in (SPANS, UNPROVEN)


def documents(
    conn: Connection, table: str, wanted: Mapping[Key, bytes | None]
) -> dict[Key, Document]:
    """The documents of rows of `requests` or `responses`, each with the hash of its body, if that
    is to be proven. Three queries for all that are of one namespace and week.

    Raises:
        StoreError: something of one is missing or damaged.
    """
    found: dict[Key, Document] = {}
    for (ns_id, epoch), keys in groupby(sorted(wanted, key=_place), key=_place):
        some = [id for _, id in keys]
        week = _Week(conn, table, ns_id, epoch, some)
        for id in some:
            found[ns_id, id] = week.document(id, wanted[ns_id, id])
    return found


class _Made(NamedTuple):
    """A manifest, and how the edits that follow it are unpacked."""

    manifest: list[Item]
    anchor: Anchor


class _Week:
    """Some documents of one namespace and week. What they have in common is fetched once."""

    def __init__(
        self, conn: Connection, table: str, ns_id: int, epoch: int, ids: Collection[UUID]
    ) -> None:
        self._conn, self._table, self._place = conn, table, (ns_id, epoch)
        self._edits = self._chains(ids)
        self._unpacker = Unpacker(self._blobs)
        self._made: dict[UUID, _Made] = {}
        # who lacks a piece, or has a damaged one, says so when it is its turn
        with suppress(KeyError, ValueError, IndexError):
            needed = [items.hashes(self._manifest(id)) for id in ids]
            self._unpacker.pieces(set().union(*needed))

    def document(self, id: UUID, proof: bytes | None) -> Document:
        with _damage_told(self._table, id):
            manifest = self._manifest(id)
            pieces = self._unpacker.pieces(items.hashes(manifest))
            found = frame.opened(items.join(manifest, pieces))
            if proof is not None and content_hash(found.body) != proof:
                raise ValueError("it is not what passed")
            return found

    def _manifest(self, id: UUID) -> list[Item]:
        """Made from the edits that lead to it, the oldest first."""
        line: dict[UUID, UUID | None] = {}
        at: UUID | None = id
        while at is not None and at not in self._made:
            if at not in self._edits or at in line:
                raise ValueError(f"what it builds on is missing: {at}")
            line[at] = self._edits[at][0]
            at = line[at]
        for one, base in reversed(line.items()):
            before = self._made[base] if base else _Made([], Anchor())
            half = edits.read_stored(self._edits[one][1])
            steps, anchor = self._unpacker.steps(half.steps, before.anchor)
            manifest = edits.apply(edits.Edit(half.hashes, steps), before.manifest)
            self._made[one] = _Made(manifest, anchor)
        return self._made[id].manifest

    def _chains(self, ids: Collection[UUID]) -> dict[UUID, tuple[UUID | None, bytes]]:
        """Of these and of all that they build on: id -> (id of what it is an edit of, edit)."""
        ns_id, epoch = self._place
        low, high = UUID(int=epoch * WEEK_MS << 80), UUID(int=((epoch + 1) * WEEK_MS << 80) - 1)
        values = {"ns_id": ns_id, "ids": list(ids), "low": low, "high": high}
        rows = _fetch(self._conn, CHAINS.format(table=self._table), values)
        return {id: (base_id, body) for id, base_id, body in rows}

    def _blobs(self, hashes: set[bytes]) -> dict[bytes, bytes]:
        if not hashes:
            return {}
        listed = ",".join([digest.hex() for digest in hashes])
        return dict(_fetch(self._conn, BLOBS, [*self._place, f"{{{listed}}}"]))


def _place(key: Key) -> tuple[int, int]:
    return key[0], epoch_of(key[1])


def _fetch(conn: Connection, query: str, values: Any) -> list[Any]:
    with cursor(conn) as answers:
        found: list[Any] = answers.execute(query, values).fetchall()
        return found


@contextmanager
def _damage_told(table: str, id: UUID) -> Iterator[None]:
    try:
        yield
    except KeyError as exc:
        raise _damaged(table, id, f"its piece {exc.args[0].hex()} is missing") from exc
    except (ValueError, IndexError) as exc:
        raise _damaged(table, id, str(exc)) from exc


def _damaged(table: str, id: UUID, what: str) -> StoreError:
    side = table.removesuffix("s")
    return StoreError(
        f"The {side} of flow {id} cannot be read back: {what}. The store is damaged; "
        "other flows are not affected. Restore it from a backup."
    )
