"""The proxy's side of the worker: start it, start it again, let it go.

The worker is a child process with a pipe as its standard input. When the proxy ends, however it
ends, the pipe closes, and the worker stores what is left and ends, too.
"""

import asyncio
import contextlib
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

from llmproxy_core.config import Config
from llmproxy_core.home import Home

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LONG_LIFE = 60.0
LOG_BYTES = 2**20
NEEDED = re.compile(
    "LLMPROXY_|PG|PYTHON|COVERAGE_|COV_|XDG_|LC_|LD_|DYLD_|KRB5|SSL_|OPENSSL_"
    "|(PATH|HOME|USER|LOGNAME|LANG|TZ|TMPDIR|VIRTUAL_ENV)$"
)
"""What the worker inherits: the API keys in the proxy's environment are not its business."""
ADVISOR_KEY = "OPENROUTER_API_KEY"
"""But for this one, where the advisor is switched on."""

logger = logging.getLogger("llmproxy")


class WorkerChild:
    """Keeps one worker running. Pauses are in seconds."""

    def __init__(self, home: Home, config: Config) -> None:
        self.home = home
        self.process: asyncio.subprocess.Process | None = None
        self._environment = {k: v for k, v in os.environ.items() if NEEDED.match(k)}
        if config.advisor.enabled and (key := os.environ.get(ADVISOR_KEY)):
            self._environment[ADVISOR_KEY] = key
        self._environment["LLMPROXY_HOME"] = str(home.path)
        if config.source:
            self._environment["LLMPROXY_CONFIG"] = str(config.source)

    async def keep_alive(self) -> None:
        """Runs until cancelled. A worker that dies is started again, ever more slowly."""
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            reason = await self._run()
            if time.monotonic() - started > LONG_LIFE:
                pause = FIRST_PAUSE
            logger.warning(
                f"the worker ended ({reason}); it is started again in {pause:g} s, and nothing is "
                f"lost meanwhile. Its log: {self.home.worker_log}"
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run(self) -> str:
        try:
            with self._log() as log:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "llmproxy_core.worker",
                    "--child",
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C in the terminal is for the proxy
                )
        except OSError as exc:
            return str(exc)
        status = await self.process.wait()
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    @contextlib.contextmanager
    def _log(self) -> Iterator[int]:
        file = self.home.worker_log
        with contextlib.suppress(OSError):
            if file.stat().st_size > LOG_BYTES:
                file.replace(file.with_suffix(".log.1"))
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
