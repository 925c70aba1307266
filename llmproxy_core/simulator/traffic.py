"""Programs as one meets them, making calls: agents with tools, chats, batch jobs, bad luck,
and a shop, whose office and counter ask by the same fifty prompts again and again.

Plain httpx, so that the demo needs no SDK. Each program is a thread with a client of its own and
goes on until it is told to stop.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from llmproxy_core.simulator.perils import PERILS
from llmproxy_core.simulator.programs import PROGRAMS, Call
from llmproxy_core.simulator.routines import counter, office

LONGEST_WAIT = 60.0
HURRY = 2.0
"""Seconds for the calls under way where nobody asks how they end: some wait for a person."""


@dataclass(slots=True)
class Tally:
    """Calls made so far; `failed` counts those without a whole answer of status 2xx."""

    made: int = 0
    failed: int = 0


class Traffic:
    """A context manager: programs call through `proxy_url`, trusting `ca_file`, until it ends."""

    def __init__(self, proxy_url: str, ca_file: Path) -> None:
        self.tally = Tally()
        self._proxy_url = proxy_url
        self._trust = ssl.create_default_context(cafile=str(ca_file))
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(program, start), daemon=True)
            for start, program in enumerate((*PROGRAMS, *PERILS, office, counter))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(HURRY)

    def stop(self, seconds: float = LONGEST_WAIT) -> None:
        """Let the calls under way come to their ends, as far as they do within some seconds."""
        self._stop.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, program: Callable[[int], Iterator[Call]], start: int) -> None:
        self._stop.wait(0.3 * start)
        for session in count():
            with httpx.Client(
                proxy=self._proxy_url, verify=self._trust, trust_env=False, timeout=LONGEST_WAIT
            ) as client:
                for call in program(session):
                    if self._stop.is_set():
                        return
                    self._make(client, call)
                    self._stop.wait(call.pause)

    def _make(self, client: httpx.Client, call: Call) -> None:
        self.tally.made += 1
        whole = False
        # a refusal or a torn stream is part of the play
        with suppress(httpx.HTTPError):
            with client.stream("POST", call.url, json=call.body, headers=call.headers) as answer:
                for _ in answer.iter_raw():
                    pass
            whole = answer.is_success
        self.tally.failed += not whole
