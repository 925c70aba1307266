"""Claude's opinion on what policies with `advisor = true` apply to: asked beside everything else.

The questions are asked in a thread with a loop of its own, so that nothing waits for an answer; what
was asked when a worker ends is not asked again. The advisor itself keeps to its budget, and knows
what it was asked before.
"""

import asyncio
import logging
import threading
from collections import deque

from llmproxy_core.advisor import Advisor
from llmproxy_core.advisor.judge import judge
from llmproxy_core.advisor.private import Private
from llmproxy_core.config import AdvisorConfig
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.masking.masker import Masker
from llmproxy_core.worker.opinions import Opinion, Question

AT_ONCE = 4
MOST_WAITING = 200
"""Questions; more are not asked."""
PATIENCE = 2.0

logger = logging.getLogger(__name__)


class Advising:
    """Starts with the first question. Not thread-safe."""

    def __init__(self, settings: AdvisorConfig, home: Home, masker: Masker) -> None:
        self._settings = settings
        self._home = home
        self._mask = Private(masker)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Question | None] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._waiting = 0
        self._opinions: deque[Opinion] = deque()

    @property
    def enabled(self) -> bool:
        return self._settings.enabled

    @property
    def idle(self) -> bool:
        return not self._waiting

    def ask(self, question: Question) -> None:
        if not self.enabled or self._waiting >= MOST_WAITING:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
            self._ready.wait()
        self._waiting += self._put(question)

    def opinions(self) -> list[Opinion]:
        """Those that have come since the last time."""
        found = [self._opinions.popleft() for _ in range(len(self._opinions))]
        self._waiting -= len(found)
        return found

    def close(self) -> None:
        self._put(None)
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _put(self, question: Question | None) -> bool:
        """False: nobody will ask it."""
        if self._loop is None or self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(self._queue.put_nowait, question)
        return True

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (LlmproxyError, OSError) as exc:
            logger.warning(f"advisor: nothing is asked any more: {exc}")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        advisor = Advisor(self._settings, self._home, self._mask)
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        room = asyncio.Semaphore(AT_ONCE)
        asking: set[asyncio.Task[None]] = set()
        while (question := await self._queue.get()) is not None:
            await room.acquire()
            task = asyncio.create_task(self._judge(advisor, question))
            asking.add(task)
            task.add_done_callback(asking.discard)
            task.add_done_callback(lambda _: room.release())
        for task in asking:
            task.cancel()
        await advisor.close()

    async def _judge(self, advisor: Advisor, question: Question) -> None:
        try:
            judgement = await judge(advisor, question.text)
            said = advisor.masked(judgement.reason) if judgement else advisor.said
        except Exception as exc:  # noqa: BLE001  it is only an opinion less
            judgement, said = None, type(exc).__name__
        self._opinions.append(Opinion(question, judgement, said or "it cannot be told"))
