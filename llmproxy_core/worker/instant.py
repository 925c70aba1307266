"""Changes for requests that wait in a proxy: the advisor is asked while they do.

A Unix socket in the home: each connection asks one question, a line of JSON with the fields of
`Waiting`, and gets `{"operations": [...]}`. The proxy goes away when it has waited long enough; the
answer is kept all the same, for the next request of the same pattern with the same system prompt:
what it says is asked once.
"""

import asyncio
import logging
import threading
from contextlib import suppress

import msgspec

from llmproxy_core.advisor import Advisor
from llmproxy_core.advisor.private import Private
from llmproxy_core.config import AdvisorConfig
from llmproxy_core.credentials import Scrubber
from llmproxy_core.enhancements.advised.instant import Waiting, instantly
from llmproxy_core.enhancements.advised.safety import suspicion
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.home import Home
from llmproxy_core.masking.masker import Masker
from llmproxy_core.spans.recent import Recent

LONGEST = 2**20
"""Bytes of a question."""
KNOWN = 1000
"""Answers that are remembered."""
AT_ONCE = 16
"""Questions that are under way; more have no answer."""
PATIENCE = 2.0
USUAL = "You are a helpful assistant. Please summarize the following text in one sentence."

type Answer = asyncio.Task[list[Operation]]

logger = logging.getLogger(__name__)


class Instant:
    """A thread with a loop of its own."""

    def __init__(self, settings: AdvisorConfig, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._mask = Private(Masker(Scrubber(home.fingerprint_key())))
        self._answers: Recent[Hash, Answer] = Recent(KNOWN)
        self._under_way: set[Answer] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="llmproxy-instant", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._loop is not None and self._over is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # it has just been closed
                self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (LlmproxyError, OSError) as exc:
            logger.warning(f"nothing is asked while requests wait (learning.sync_ms): {exc}")

    async def _serve(self) -> None:
        advisor = Advisor(self._settings, self._home, self._mask)
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await asyncio.to_thread(self._warm)
        file = self._home.instant
        file.unlink(missing_ok=True)  # of a worker that was killed; there is only one of a home

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, ValueError, asyncio.IncompleteReadError):
                await self._answer(advisor, reader, writer)
            writer.close()

        server = await asyncio.start_unix_server(answer, file, limit=LONGEST)
        try:
            await self._over.wait()
        finally:
            server.close()
            for task in [*self._under_way]:
                task.cancel()
            await advisor.close()
            file.unlink(missing_ok=True)

    async def _answer(
        self, advisor: Advisor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            waiting = msgspec.json.decode(await reader.readline(), type=Waiting)
        except (msgspec.DecodeError, RecursionError):
            return
        operations = await asyncio.shield(self._task(advisor, waiting))
        writer.write(msgspec.json.encode({"operations": operations}) + b"\n")
        await writer.drain()

    def _task(self, advisor: Advisor, waiting: Waiting) -> Answer:
        """The answer, which goes on coming when nobody waits for it any more."""
        system = content_hash(waiting.system.encode("utf-8", "surrogatepass")).hex()
        key = content_hash(
            f"{waiting.namespace}\0{waiting.wire}\0{waiting.pattern}\0{system}".encode()
        )
        found = self._answers.get(key)
        if found is None or (found.done() and (found.cancelled() or found.exception())):
            room = len(self._under_way) < AT_ONCE
            found = asyncio.create_task(instantly(advisor, waiting) if room else _nothing())
            if room:
                self._answers[key] = found
                self._under_way.add(found)
                found.add_done_callback(self._under_way.discard)
        return found

    def _warm(self) -> None:
        """Detectors read what they need, half a second of it, before a request waits for them."""
        self._mask(USUAL)
        suspicion(USUAL)


async def _nothing() -> list[Operation]:
    return []
