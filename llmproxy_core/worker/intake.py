"""The journals of all proxies of a home -> batches -> the store."""

import logging
import time
from pathlib import Path

from llmproxy_core.errors import LlmproxyError, SpoolError
from llmproxy_core.plural import counted
from llmproxy_core.pricing import NO_PRICES, OwnPrices
from llmproxy_core.records import Answered, Closed, Piece, Record, Verdict
from llmproxy_core.spool import SpoolReader, forget, readers, removed
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import OffsetRow
from llmproxy_core.worker import checkpoint
from llmproxy_core.worker.derivation import Derivation
from llmproxy_core.worker.journal import Journal
from llmproxy_core.worker.judging import Judging
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.sessions import Sessions
from llmproxy_core.worker.storage import Storage

MAX_RECORDS = 500
MAX_BYTES = 8 * 2**20
QUIET_SECONDS = 1.0
"""How long offsets, and calls in which nothing was found, may wait for rows to be stored with them."""

logger = logging.getLogger(__name__)


class Intake:
    """Reads a batch with `collect`, stores it with `commit`; never more than a batch ahead.

    Both raise DatabaseUnavailable and may then be called again: nothing is lost or done twice.
    """

    def __init__(
        self,
        spool: Path,
        storage: Storage,
        max_records: int = MAX_RECORDS,
        prices: OwnPrices = NO_PRICES,
        judging: Judging | None = None,
        learning: Learning | None = None,
    ) -> None:
        self._spool = spool
        self._max_records = max_records
        self._storage = storage
        self._prices = prices
        self._sessions = Sessions(storage)
        self._derivation = Derivation()
        self._judging = judging
        self._learning = learning
        self._offsets: dict[str, OffsetRow] | None = None
        self._journals: dict[str, Journal] = {}
        self._batch = Batch()
        self._records = 0
        self._bytes = 0
        self._ids: set[tuple[bool, bytes]] = set()
        """Of what is in the batch; True: answers."""
        self._repeated = False
        self._touched: dict[str, Journal] = {}
        self._turn = 0
        self._doubtful = False
        self._committed_at = time.monotonic()
        self.stored_records = 0

    @property
    def full(self) -> bool:
        much = self._records >= self._max_records or self._bytes >= MAX_BYTES
        return much or self._repeated

    @property
    def due(self) -> bool:
        """Is there something to commit now?"""
        batch = self._batch
        if batch.requests or batch.responses or batch.events or batch.deltas or self._repeated:
            return True
        if batch.decisions or batch.anomalies:
            return True
        return self.waiting and time.monotonic() - self._committed_at >= QUIET_SECONDS

    @property
    def waiting(self) -> bool:
        """Is there anything at all that is not committed?"""
        batch = self._batch
        return bool(self._touched or batch.finished_writers or batch.judged or batch.lessons)

    @property
    def settled(self) -> bool:
        """Is all stored that was said of calls?"""
        return not (self.due or self._batch.lessons)

    @property
    def finished(self) -> bool:
        """Are all journals stored to their very end, with no proxy left that writes one?"""
        return not self.waiting and all(j.ended or j.broken for j in self._journals.values())

    def collect(self) -> int:
        """Read on, up to a full batch; the number of records read."""
        self._find_journals()
        if self._judging is not None:
            self._judging.deliver(self._batch)
        if self._learning is not None:
            self._learning.deliver(self._batch)
        before = self._records
        dead = []
        for journal in self._in_turn():
            if self.full:
                break
            try:
                alive = journal.reader.writer_alive()  # before reading: what follows is all
                self._read(journal)
            except (SpoolError, OSError) as exc:
                self._give_up(journal, exc)
                continue
            if not alive:
                dead.append(journal)
        for journal in dead if not self.full else ():
            self._end(journal)
        if self._storage.watched():
            for journal in self._journals.values():
                journal.show(self._batch)
        return self._records - before

    def commit(self) -> None:
        """Store what was collected, then drop the segments that are not needed any more."""
        batch = self._batch
        if self._learning is not None:
            self._learning.complete(batch)
        batch.offsets = [journal.offsets for journal in self._touched.values()]
        if not (self._doubtful and checkpoint.is_stored(batch, self._storage)):
            try:
                self._storage.write(batch)
            except LlmproxyError:
                self._doubtful = True  # the answer to a COMMIT may have been lost
                raise
        if self._judging is not None:
            self._judging.committed()
        if self._learning is not None:
            self._learning.committed()
        touched, self._touched = self._touched, {}
        self.stored_records += self._records
        self._batch, self._records, self._bytes = Batch(), 0, 0
        self._ids, self._repeated = set(), False
        self._doubtful = False
        self._committed_at = time.monotonic()
        for writer in batch.finished_writers:
            forget(self._spool, writer)
        for journal in touched.values():
            self._tidy(journal)

    def _find_journals(self) -> None:
        if self._offsets is None:
            self._offsets = self._storage.offsets()
            self._batch.finished_writers += removed(self._spool)
        for reader in readers(self._spool):
            if reader.id not in self._journals:
                self._journals[reader.id] = self._resumed(reader)

    def _resumed(self, reader: SpoolReader) -> Journal:
        journal = Journal(
            reader,
            self._sessions,
            self._storage.namespace,
            self._prices,
            self._derivation,
            self._judging,
            self._learning,
        )
        row = (self._offsets or {}).get(reader.id)
        if row is not None:
            try:
                checkpoint.resume(journal, row, self._storage)
            except (SpoolError, OSError) as exc:
                self._give_up(journal, exc)
        return journal

    def _in_turn(self) -> list[Journal]:
        """Those that can be read; another one comes first every time, so that none starves."""
        journals = [j for j in self._journals.values() if not (j.ended or j.broken)]
        self._turn += 1
        first = self._turn % len(journals) if journals else 0
        return journals[first:] + journals[:first]

    def _read(self, journal: Journal) -> None:
        for entry in journal.reader.read(journal.position):
            if self._repeats(entry.record):
                return
            journal.take(entry, self._batch)
            self._touched[journal.reader.id] = journal
            self._ids.add((isinstance(entry.record, Closed), entry.record.id))
            self._records += 1
            self._bytes += len(entry.body)
            if self.full:
                return

    def _repeats(self, record: Record) -> bool:
        """Is it in this batch already, out of a copy of the journal?

        It waits for the next batch: then the store knows it, and nothing is counted twice.
        """
        if isinstance(record, Answered | Piece | Verdict):  # of one call there may be many
            return False
        self._repeated = (isinstance(record, Closed), record.id) in self._ids
        return self._repeated

    def _end(self, journal: Journal) -> None:
        for id in [id for id in journal.exchanges if self._goes_on_elsewhere(id, journal)]:
            del journal.exchanges[id]
        self._ids.update((True, id) for id in journal.exchanges)
        if journal.exchanges:
            logger.warning(
                f"the proxy of journal {journal.reader.id} died with "
                f"{counted(len(journal.exchanges), 'call')} under way; what came of their answers is stored as it is"
            )
        journal.end(self._batch)
        self._touched[journal.reader.id] = journal

    def _goes_on_elsewhere(self, id: bytes, journal: Journal) -> bool:
        """Is this the copy of a journal in which the call is open, or has just ended?"""
        others = (j for j in self._journals.values() if j is not journal and not j.broken)
        return (True, id) in self._ids or any(id in other.exchanges for other in others)

    def _tidy(self, journal: Journal) -> None:
        try:
            if journal.ended:
                journal.reader.remove()
                self._batch.finished_writers.append(journal.reader.id)
                del self._journals[journal.reader.id]
            else:
                checkpoint.drop_stored(journal)
        except OSError as exc:
            logger.warning(f"{journal.reader.folder}: stored, but cannot be removed: {exc}")

    def _give_up(self, journal: Journal, exc: SpoolError | OSError) -> None:
        """Nothing is thrown away: the files stay, and are tried again after a restart."""
        journal.broken = exc
        logger.error(f"journal {journal.reader.id} cannot be read any further: {exc}")
