"""Exactly once: where to go on after a restart, and what of a journal is not needed any more.

The offsets of a journal are stored in the transaction of its rows. After a restart it is read
from where the oldest open exchange begins: up to the stored offset only to know again what was
open, from there on as usual.

A call that stays open for hours would keep all later segments: when it lags, they are thinned out
to the records of the calls that are open. So the place to read again from is exact in its segment
number alone.
"""

from uuid import UUID

from llmproxy_core.records import Answered, Closed, Opened, Piece
from llmproxy_core.spool import START, Position
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow
from llmproxy_core.worker.journal import Journal
from llmproxy_core.worker.storage import Storage


def resume(journal: Journal, row: OffsetRow, storage: Storage) -> None:
    """Bring a journal to where it was stored. Raises DatabaseUnavailable, SpoolError, OSError."""
    stored = Position(row.segment, row.offset)
    replay = Position(row.replay_segment, row.replay_offset)
    if replay.segment < stored.segment:
        replay = Position(replay.segment, START.offset)
    journal.position = stored
    journal.clear()
    if replay < stored:
        opened = _open_at(journal, replay, stored)
        _rebuild(journal, replay, stored, opened, storage)


def is_stored(batch: Batch, storage: Storage) -> bool:
    """Was the batch committed, though the connection broke before we heard of it?"""
    if not batch.offsets:
        return False  # what has no offsets may be written twice
    stored = storage.offsets()
    return all(stored.get(row.writer) == row for row in batch.offsets)


def drop_stored(journal: Journal) -> None:
    """Remove what is stored, and of which nothing is open. Raises OSError."""
    if journal.replay.segment > journal.first_segment:
        journal.reader.remove_before(journal.replay)
        journal.first_segment = journal.replay.segment
    whole = journal.position.segment - 1
    if journal.replay.segment < whole and whole > journal.thinned_segment:
        for number in range(journal.replay.segment, whole + 1):
            journal.reader.thin_out(number, journal.needs)
        journal.thinned_segment = whole


def _open_at(journal: Journal, replay: Position, stored: Position) -> dict[bytes, Opened]:
    opened: dict[bytes, Opened] = {}
    for entry in journal.reader.read(replay):
        if entry.start >= stored:
            break
        if isinstance(entry.record, Opened):
            opened.setdefault(entry.record.id, entry.record)
        elif isinstance(entry.record, Closed):
            opened.pop(entry.record.id, None)
    return opened


def _rebuild(
    journal: Journal,
    replay: Position,
    stored: Position,
    opened: dict[bytes, Opened],
    storage: Storage,
) -> None:
    keys = [(journal.ns_id(record), UUID(bytes=id)) for id, record in opened.items()]
    sessions = storage.sessions_of_requests(keys) if keys else {}
    for entry in journal.reader.read(replay):
        if entry.start >= stored:
            break
        record = entry.record
        if isinstance(record, Opened) and opened.get(record.id) == record:
            journal.reopen(record, entry, sessions.get(UUID(bytes=record.id)))
        elif isinstance(record, Answered | Piece) and record.id in opened:
            journal.resume(entry)
