"""Patterns are found anew in a process of its own, so that it costs the storing of calls nothing."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from llmproxy_core.patterns.consolidation import Event
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.types import Structure

SECONDS = 1800.0
"""After which a child has failed."""
CHILD = "llmproxy_core.patterns.apart"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Described:
    """Of a pattern: its template, None for each slot, and what it asks for."""

    pieces: list[str | None]
    type: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """`seconds`: what it took."""

    miner: Miner
    events: list[Event]
    described: dict[str, Described]
    seconds: float


class Consolidation:
    """One at a time, in a thread that waits for the child. `take` has the result, once."""

    def __init__(self, ns_id: int, miner: Miner, structures: Mapping[str, Structure]) -> None:
        self.ns_id = ns_id
        self.failed = False
        self._result: Result | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._over = False
        told = {id: (one.tools, one.tool_results, one.schema) for id, one in structures.items()}
        self._asked = orjson.dumps({"miner": miner.to_json(), "structures": told})
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def take(self) -> Result | None:
        """None: it has failed, and everything stays as it is."""
        self._thread.join()
        return self._result

    def cancel(self) -> None:
        self._over = True
        if (child := self._child) is not None and child.poll() is None:
            child.kill()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            told = orjson.loads(self._answer())
            miner = Miner.from_json(told["miner"])
            self._result = Result(
                miner,
                [Event(*one) for one in told["events"]],
                {id: Described(*one) for id, one in told["described"].items()},
                time.monotonic() - self._begun,
            )
        except Exception as exc:  # noqa: BLE001  fails open: the patterns stay as they are
            self.failed = True
            if not self._over:
                logger.warning(f"patterns are not found anew: {type(exc).__name__}: {exc}")

    def _answer(self) -> bytes:
        self._child = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with self._child as child:
            try:
                answer, said = child.communicate(self._asked, SECONDS)
            except BaseException:
                child.kill()
                raise
        if child.returncode:
            raise ChildProcessError(
                f"status {child.returncode}: {said[-500:].decode('utf-8', 'replace')}"
            )
        return answer
