"""Headers and bodies on their way in: what of them is new goes into `blobs`, the rest is an edit.

See `spans` for how. A document needs pieces of its own namespace and week, and documents of its
own session and week: what retention drops of a week, nothing outside of it needs.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from llmproxy_core.hashing import content_hash
from llmproxy_core.spans.cutter import Cut, Cutter
from llmproxy_core.spans.edits import edit, stored
from llmproxy_core.spans.items import Item
from llmproxy_core.spans.lexicons import Lexicons
from llmproxy_core.spans.memory import Manifest, Memory
from llmproxy_core.spans.packing import Packer
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.partitions import epoch_of
from llmproxy_core.store.shortened import ShortenedNames

SPANS = "spans"
UNPROVEN = "spans, unproven"
"""The same, of a body that `hash_out` does not tell, since it was not kept as it passed."""
SMALL = 4096
"""Bytes of a body below which a call that stands alone needs no row but its own."""
SCOPES = 4
LONG = 256
NONE: frozenset[Item] = frozenset()

ADD_BLOBS = """
INSERT INTO blobs (ns_id, epoch, hash, data)
SELECT * FROM unnest(%b::int4[], %b::int4[], %b::uuid[], %b::bytea[])
ON CONFLICT DO NOTHING
"""

type Blob = tuple[int, int, UUID, bytes]
"""ns_id, epoch, hash, data"""


class Stored(NamedTuple):
    """The columns of a document. `encoding`: SPANS or UNPROVEN."""

    encoding: str
    body: bytes
    base_id: UUID | None


class _Scope:
    """What is remembered of one namespace and week."""

    def __init__(self) -> None:
        self.cutter = Cutter()
        self.memory = Memory()


class Archive:
    """Makes documents; takes for stored what it has made, until told to `forget`. Not thread-safe."""

    def __init__(self) -> None:
        self._packer = Packer()
        self._scopes: OrderedDict[tuple[int, int], _Scope] = OrderedDict()
        self._blobs: list[Blob] = []
        self._shortened = ShortenedNames()

    def request(self, row: RequestRow) -> Stored:
        scope = self._scope(row.ns_id, row.id)
        memory, thread = scope.memory, scope.memory.thread(row.session_id)
        parent = memory.manifest(row.parent_id) if row.parent_id else None
        alone = parent is None and len(row.body) < SMALL
        kept = parent.kept if parent else NONE
        known = () if alone or kept else thread.outline(parent)
        cut = scope.cutter.request(row.headers, row.body, not alone, kept, known)
        made = Manifest(row.id, row.session_id, cut.items, not alone, kept)
        made.outline = () if alone or kept else cut.outline
        if alone:
            made.kept = frozenset(item for item in cut.items if len(item) > LONG)
            base = made.follow(thread.model("request", made))
        else:
            base = made.follow(parent or thread.most_like(cut.items))
            thread.latest.append(made)
        memory.add(made)
        self._keep(row, cut, memory.lexicons(row.session_id))
        self._shortened.add(row)
        return self._stored(row, made, base)

    def response(self, row: ResponseRow) -> Stored:
        """Its texts are kept apart where the request's were: it has turns to come."""
        scope = self._scope(row.ns_id, row.id)
        asked = scope.memory.manifest(row.id)
        apart = asked is None or asked.apart
        cut = scope.cutter.answer(row.headers, row.trailers, row.body, apart)
        if asked is None:
            self._keep(row, cut, Lexicons())
            return self._stored(row, Manifest(row.id, row.id, cut.items), None)
        made = Manifest(row.id, asked.session_id, cut.items)
        base = made.follow(scope.memory.thread(asked.session_id).model("response", made))
        self._keep(row, cut, scope.memory.lexicons(asked.session_id))
        return self._stored(row, made, base)

    def store_blobs(self, connection: psycopg.Connection[Any]) -> None:
        """The pieces of the documents made since the last time, and names that were shortened."""
        blobs, self._blobs = sorted(self._blobs, key=lambda blob: blob[:3]), []
        if blobs:
            connection.execute(ADD_BLOBS, [list(column) for column in zip(*blobs, strict=True)])
        self._shortened.store(connection)

    @contextmanager
    def storing(self) -> Iterator[None]:
        """A part of a transaction; if it fails, all is forgotten."""
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        """What was made since the last commit may not be stored: build on nothing of it."""
        self._blobs = []
        self._scopes.clear()
        self._shortened.forget()

    def _keep(self, row: RequestRow | ResponseRow, cut: Cut, lexicons: Lexicons) -> None:
        epoch = epoch_of(row.id)
        for digest, data in cut.pieces.items():
            packed = self._packer.pack(data, lexicons.current)
            self._blobs.append((row.ns_id, epoch, UUID(bytes=digest), packed))
            if made := lexicons.add(digest, data):
                listing = self._packer.pack(made.listing)
                self._blobs.append((row.ns_id, epoch, UUID(bytes=made.digest), listing))

    def _stored(
        self, row: RequestRow | ResponseRow, made: Manifest, base: Manifest | None
    ) -> Stored:
        hashes, steps = edit(made.items, base.items if base else ())
        if made.depth <= 1 or made.anchor is None:
            made.steps = steps
        if made.anchor is None:
            packed = self._packer.pack(steps)
        else:
            model = base.steps if base and base.served and base is not made.anchor else b""
            packed = self._packer.pack_steps(steps, made.anchor.steps, model)
        proven = content_hash(row.body) == row.hash_out
        encoding = SPANS if proven else UNPROVEN
        return Stored(encoding, stored(hashes, packed), base.id if base else None)

    def _scope(self, ns_id: int, id: UUID) -> _Scope:
        key = (ns_id, epoch_of(id))
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = _Scope()
            if len(self._scopes) > SCOPES:
                self._scopes.popitem(last=False)
        else:
            self._scopes.move_to_end(key)
        return scope
