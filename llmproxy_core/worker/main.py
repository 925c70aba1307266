"""The worker's life: wait for its turn, store what comes, end when it is told to."""

import gc
import logging
import threading
import time
from datetime import UTC, datetime

from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.pricing import OwnPrices
from llmproxy_core.worker import log
from llmproxy_core.worker.counsel import Counsel
from llmproxy_core.worker.instant import Instant
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.judging import Judging
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.lock import only_worker
from llmproxy_core.worker.seal import warm_up
from llmproxy_core.worker.storage import DatabaseStorage
from llmproxy_core.worker.studying import Studying
from llmproxy_core.worker.watch import Watch

PACE = 0.01
"""Seconds between two transactions: what comes meanwhile is stored together."""
SLOW_PACE = 0.1
"""The same while nobody watches."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
COLLECT = (100_000, 20, 100)
"""Rows and messages hold no cycles: looking for some after every 700 of them is a tenth of our CPU. A
batch is about 40,000."""
GRACE = 10.0
"""Seconds that a worker which is to end waits for a database that is away."""
SHARES = (0.25, 1.0)
"""Of the time that all else takes: so much again for judging, at least; and while nothing calls."""
LONGEST_JUDGING = 0.05
"""Seconds of it at a time."""
LAST_WORDS = 1.0
"""Seconds in which a proxy that has closed our standard input still writes or lets go."""
LAST_JUDGED = 3.0
"""Seconds for judging what is stored by then; the rest is the next worker's."""

logger = logging.getLogger(__name__)


def run(
    config: Config, home: Home, *, once: bool = False, stop_when_stdin_closes: bool = False
) -> int:
    """Store what the proxies of a home write, until told to stop; the exit status.

    `once`: only what is there now. `stop_when_stdin_closes`: then store what is left, and end.
    0: all that was there is stored. 1: the database was away, and the rest waits in the spool.

    Raises:
        OSError: the home folder cannot be used.
    """
    with (
        Watch(home.spool, 0 if stop_when_stdin_closes else None) as watch,
        only_worker(home, watch) as held,
    ):
        if not held:
            return 0
        storage = DatabaseStorage(config, home)
        shift = _Shift(config, home, storage, watch, once)
        try:
            return shift.work()
        finally:
            shift.close()
            storage.close()


class _Shift:
    def __init__(
        self, config: Config, home: Home, storage: DatabaseStorage, watch: Watch, once: bool
    ) -> None:
        self._home = home
        self._storage = storage
        self._watch = watch
        self._once = once
        self._judging = Judging(config, home)
        self._counsel = Counsel(config, home)
        self._learning = Learning(config, home, self._counsel, lambda: storage.school)
        self._studying = Studying(config, self._counsel)
        waits = config.learning.sync_ms and config.advisor.enabled and not once
        self._instant = Instant(config.advisor, home) if waits else None
        self._intake = Intake(
            home.spool,
            storage,
            prices=OwnPrices(config.prices),
            judging=self._judging,
            learning=self._learning,
        )
        self._judged_at = self._learnt_at = time.monotonic()
        self._warming: threading.Thread | None = None
        self._begun_at = time.monotonic()
        self._committed_at = 0.0
        self._read_at = 0.0
        self._away_since: float | None = None
        self._pause = FIRST_PAUSE

    def work(self) -> int:
        if self._instant is not None:
            self._instant.start()
        while True:
            try:
                more = self._store_some()
                self._judge_some(more)
                self._learn_some(more)
                if not self._ending():
                    self._storage.keep_rules()
                    self._studying.start(self._storage.database())
                self._is_back()
            except LlmproxyError as exc:
                if not self._is_away(exc):
                    return 1
                continue
            if self._is_over(more):
                self._keep()
                logger.info(f"ending; {self._intake.stored_records} records stored")
                return 0
            if not more:
                log.keep_small(self._home)
                if not self._ending():
                    self._storage.housekeep()
                if self._judging.idle and self._learning.idle:
                    self._watch.wait()

    def _store_some(self) -> bool:
        """What has come, up to one batch. True if there is more to read at once."""
        intake = self._intake
        if self._away_since is not None or self._committed_at == 0.0:
            self._connect()
        looked_at = datetime.now(UTC)
        if not intake.full:
            self._keep_pace()
            self._watch.heed()
            looked_at = datetime.now(UTC)
            intake.collect()
            self._read_at = time.monotonic()
        more = intake.full
        while intake.due or (intake.waiting and self._ending()):
            intake.commit()
            self._committed_at = time.monotonic()
        if not more and intake.settled and self._learning.has_heard:
            self._studying.stored(looked_at)
        return more

    def _judge_some(self, more: bool) -> None:
        """What is stored is judged beside storing: `more` to store leaves less time for it."""
        if more and self._judging.idle:
            return
        if not self._judging.has_work(self._storage):
            if not self._ending():
                self._start_warming()
            return
        if self._start_warming().is_alive():
            if not self._ending():
                return
            self._start_warming().join()
        since = time.monotonic() - self._judged_at
        least, most = (min(share * since, LONGEST_JUDGING) for share in SHARES)
        self._judging.work(most, self._storage, least, lambda: more or self._watch.called)
        self._judged_at = time.monotonic()

    def _learn_some(self, more: bool) -> None:
        """As judging, beside it."""
        if (more and self._learning.idle) or not self._learning.has_work(self._storage.school):
            return
        since = time.monotonic() - self._learnt_at
        least, most = (min(share * since, LONGEST_JUDGING) for share in SHARES)
        called = lambda: more or self._watch.called  # noqa: E731
        self._learning.work(most, self._storage.school, least, called)
        self._learnt_at = time.monotonic()

    def _is_done(self) -> bool:
        """Is everything looked at that is stored? `once` waits for what is found of it all."""
        if not (self._judging.idle and self._learning.idle):
            return False
        return not self._once or not self._learning.finish()

    def close(self) -> None:
        """What runs beside it ends, too."""
        if self._instant is not None:
            self._instant.close()
        self._studying.stop()
        self._counsel.close()
        self._learning.cancel()

    def _keep(self) -> None:
        """What is known, for the next one."""
        self._judging.close()
        try:
            self._learning.close(self._storage.write)
        except LlmproxyError as exc:
            logger.warning(f"what is known of patterns is not kept: {exc}")

    def _start_warming(self) -> threading.Thread:
        """Detectors read what they need, half a second of it, while calls are stored."""
        if self._warming is None:
            self._warming = threading.Thread(target=self._warm, daemon=True)
            self._warming.start()
        return self._warming

    def _warm(self) -> None:
        self._judging.warm()
        gc.freeze()

    def _connect(self) -> None:
        self._storage.reconnect()
        where = self._storage.connect()
        if self._committed_at == 0.0:
            logger.info(f"storing into {where}")
            if not self._ending():
                warm_up()
            gc.freeze()
            gc.set_threshold(*COLLECT)
            self._committed_at = time.monotonic() - PACE

    def _keep_pace(self) -> None:
        hurry = self._ending() or self._storage.watched()
        due = self._committed_at + PACE if hurry else self._read_at + SLOW_PACE
        early = due - time.monotonic()
        if early > 0:
            self._watch.pause(early)

    def _ending(self) -> bool:
        return self._once or self._watch.ending

    def _is_over(self, more: bool) -> bool:
        if self._watch.stopped:
            return True
        if more:
            return False
        ended_at = self._watch.ended_at
        if ended_at is None:
            return self._once and self._is_done()
        since = time.monotonic() - ended_at
        if self._intake.finished:
            return self._is_done() or since > LAST_JUDGED
        return since > LAST_WORDS

    def _is_away(self, exc: LlmproxyError) -> bool:
        """Wait before trying again; False where that makes no sense any more."""
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            logger.warning(f"{exc} Nothing is lost: it is stored as soon as that works again.")
        since = max(self._away_since, self._watch.ended_at or 0.0)
        if self._watch.stopped or (self._ending() and now - since > GRACE):
            logger.warning("ending without the database; the rest waits in the spool")
            return False
        self._watch.pause(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return True

    def _is_back(self) -> None:
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            logger.info(f"the database is back after {away:.1f} s")
            self._away_since = None
            self._pause = FIRST_PAUSE
