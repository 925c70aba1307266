"""Questions to the advisor about patterns and answers, asked beside everything else.

In a thread with a loop of its own, so that nothing waits for an answer. The advisor itself keeps to its
budget, and knows what it was asked before.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from llmproxy_core.advisor import Advisor
from llmproxy_core.advisor.grade import grade
from llmproxy_core.advisor.private import Private
from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.enhancements.advised.asking import Advice, advise
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.enhancements.evidence import Evidence
from llmproxy_core.enhancements.feasible import check
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.masking.masker import Masker
from llmproxy_core.success.call import Call
from llmproxy_core.success.signal import Signal

AT_ONCE = 2
MOST_WAITING = 50
"""Questions; more are not asked."""
PATIENCE = 2.0

logger = logging.getLogger(__name__)

type Job = Callable[[Advisor], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Advised:
    """What came of a question about a pattern."""

    ns_id: int
    pattern: str
    advice: Advice


@dataclass(frozen=True, slots=True)
class Graded:
    """What the advisor thinks of an answer; `at`: when its call began, ns since 1970."""

    ns_id: int
    at: int
    signal: Signal


class Counsel:
    """Starts with the first question. May be asked in any thread; what came of it is taken in any."""

    def __init__(self, settings: Config, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._mask = Private(Masker(Scrubber(home.fingerprint_key())))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Job | None] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._waiting = 0
        self._lock = threading.Lock()
        self._advised: deque[Advised] = deque()
        self._graded: deque[Graded] = deque()

    @property
    def enabled(self) -> bool:
        return self._settings.advisor.enabled

    def about_pattern(self, ns_id: int, known: Evidence, past: Sequence[Enhancement]) -> bool:
        """False: too many questions wait."""

        async def ask(advisor: Advisor) -> None:
            above = self._settings.learning.above_confidence
            advice = await advise(advisor, known, check, past, above)
            self._advised.append(Advised(ns_id, known.pattern_id, advice))

        return self._put(ask)

    def about_answer(self, call: Call, asked: str) -> bool:
        """`asked`: the text of the request that the answer is to be held against."""
        answered = call.response.text

        async def ask(advisor: Advisor) -> None:
            found = await grade(advisor, asked, answered)
            if found is not None:
                self._graded.append(Graded(call.ns_id, call.at, found.signal(call.id)))

        return self._put(ask)

    def advised(self) -> list[Advised]:
        """Since the last time."""
        return [self._advised.popleft() for _ in range(len(self._advised))]

    def graded(self) -> list[Graded]:
        return [self._graded.popleft() for _ in range(len(self._graded))]

    def close(self) -> None:
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._queue.put_nowait, None)
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _put(self, job: Job) -> bool:
        with self._lock:
            if not self.enabled or self._waiting >= MOST_WAITING:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
                self._ready.wait()
            if self._loop is None or self._loop.is_closed():
                return False
            self._waiting += 1
            self._loop.call_soon_threadsafe(self._queue.put_nowait, job)
            return True

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (LlmproxyError, OSError) as exc:
            logger.warning(f"advisor: nothing is asked any more: {exc}")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        advisor = Advisor(self._settings.advisor, self._home, self._mask)
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        room = asyncio.Semaphore(AT_ONCE)
        asking: set[asyncio.Task[None]] = set()
        while (job := await self._queue.get()) is not None:
            await room.acquire()
            task = asyncio.create_task(self._do(advisor, job))
            asking.add(task)
            task.add_done_callback(asking.discard)
            task.add_done_callback(lambda _: room.release())
        for task in asking:
            task.cancel()
        await advisor.close()

    async def _do(self, advisor: Advisor, job: Job) -> None:
        try:
            await job(advisor)
        except Exception as exc:  # noqa: BLE001  it is only an opinion less
            logger.warning(f"advisor: a question has no answer: {type(exc).__name__}: {exc}")
        finally:
            with self._lock:
                self._waiting -= 1
