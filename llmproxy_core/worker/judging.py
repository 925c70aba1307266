"""What is wrong with calls that are stored: answers, what was left over, what is unusual.

A call is stored first, and judged when there is time: until then it is in the table `unjudged`, out
of which it goes in the transaction of what was found. So each call is judged once, whatever is killed
when. A text that was judged before costs a look at its hash, and its call is done with at once.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Detector, Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.marks import Marks
from llmproxy_core.anomaly.panel import Panel
from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.errors import DatabaseUnavailable, LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.policies import Policies
from llmproxy_core.records import Closed, Found
from llmproxy_core.redaction.excerpts import as_written
from llmproxy_core.redaction.masking import Masker
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.rows import Batch, UnjudgedRow
from llmproxy_core.worker.cases import Case, Evidence, Key, Side, key_of
from llmproxy_core.worker.docket import case_of
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.habits import Habits
from llmproxy_core.worker.seal import Sealed
from llmproxy_core.worker.verdict import verdict

REMEMBERED = 50_000
"""Texts whose verdict is known without looking."""
MOST_HELD = 32 * 2**20
"""Characters of texts that wait in memory; of what is more, the store is asked again."""
MOST_ROWS = 50_000
"""Calls that are asked for at a time, of those that are left over."""
PATIENCE = 300.0
"""Seconds that a call waits because of a policy that is not known here yet."""
LOOK_SECONDS = 1.0
"""How often the rules are looked at."""

type Known = tuple[tuple[Located, Found], ...]

logger = logging.getLogger(__name__)


class Docket(Protocol):
    """What the store knows of calls that are to be judged. Raises DatabaseUnavailable."""

    def unjudged(self, home: str, limit: int) -> Sequence[UnjudgedRow]:
        """The oldest that are left over."""
        ...

    def case(self, row: UnjudgedRow, policies: Policies) -> Case | None:
        """The call, read again; None: it is gone."""
        ...


class Judging:
    """Not thread-safe. Of its methods only `work` takes time, and raises (DatabaseUnavailable)."""

    def __init__(
        self, settings: Config, home: Home, detectors: Sequence[Detector] = DETECTORS
    ) -> None:
        self.rulebook = Rulebook(settings, home, logger.warning)
        self._settings = settings.anomaly
        self._home = str(home.path)
        self._masker = Masker(Scrubber(home.fingerprint_key()))
        self._panel = Panel((*detectors, Marks()))
        self._habits = Habits(home.usual)
        self._known: Recent[Key, Known] = Recent(REMEMBERED)
        self._fresh: list[Case] = []
        """Of the batch that is not committed yet."""
        self._waiting: deque[Case] = deque()
        self._held = 0
        self._elsewhere: deque[UnjudgedRow] = deque()
        """Those that are to be read again."""
        self._asked = False
        self._done: list[Case] = []
        self._look_at = 0.0
        self._faults: set[str] = set()

    @property
    def idle(self) -> bool:
        """Is there nothing to judge, and nothing to be delivered?"""
        return not (self._waiting or self._elsewhere or self._done)

    def closed(
        self, exchange: Exchange, record: Closed, sealed: Sealed, into: Batch, *, imported: bool
    ) -> None:
        """A call has ended: what is known of its texts is told at once, the rest put aside."""
        if not self._settings.worker:
            return
        try:
            self._take(exchange, record, sealed, into, imported=imported)
        except Exception as exc:  # noqa: BLE001  fails open: the call is stored all the same
            self._complain(f"a call is not judged: {type(exc).__name__}: {exc}")

    def committed(self) -> None:
        """What was closed before is stored: it may be judged now."""
        for case in self._fresh:
            if (self._held + case.characters) > MOST_HELD:
                self._elsewhere.append(self._row(case))
            else:
                self._held += case.characters
                self._waiting.append(case)
        self._fresh.clear()
        self._habits.keep()

    def work(self, seconds: float, docket: Docket) -> None:
        """Judge for so long, a text at least. Raises DatabaseUnavailable."""
        self._look()
        if not self._settings.worker:
            return
        until = time.monotonic() + seconds
        while (case := self._next(docket)) is not None:
            side, text = case.texts.pop(0)
            self._held = max(0, self._held - len(text.text))
            if not self._recall(case, side, text):  # another call may have had it meanwhile
                case.evidence += self._judged(case, side, text)
            if not case.texts:
                self._done.append(self._waiting.popleft())
            if time.monotonic() >= until:
                return

    def patience(self, policy: str) -> float:
        """Seconds that a call waits for a person because of a policy."""
        found = (one for one in self.rulebook.policies.all if one.name == policy)
        return next((one.settings.timeout_seconds for one in found), PATIENCE)

    def deliver(self, into: Batch) -> None:
        """What was found is written with the next batch."""
        for case in self._done:
            verdict(case, self.rulebook, into)
            into.judged.append((case.ns_id, UUID(bytes=case.flow)))
        self._done.clear()

    def warm(self) -> None:
        """Have the detectors read what they need, before there is something to wait for."""
        if self._settings.worker:
            self._panel.warm()

    def close(self) -> None:
        if self._settings.worker:
            self._habits.keep(now=True)

    def _take(
        self, exchange: Exchange, record: Closed, sealed: Sealed, into: Batch, *, imported: bool
    ) -> None:
        whole = imported or not self._settings.proxy
        case = case_of(exchange, record, sealed, self.rulebook.policies, whole=whole)
        if not imported:
            case.evidence += self._written("response", self._habits.call(exchange, sealed))
        case.texts = [one for one in case.texts if not self._recall(case, *one)]
        if not case.texts:
            verdict(case, self.rulebook, into)
            return
        into.unjudged.append(self._row(case))
        self._fresh.append(case)

    def _recall(self, case: Case, side: Side, text: Text) -> bool:
        """Is the verdict on a text known? What was found in an earlier turn is not told again."""
        known = self._known.get(key_of(text))
        if known is None:
            return False
        new = side == "response"
        case.evidence += (Evidence(side, located, found, new) for located, found in known)
        return True

    def _judged(self, case: Case, side: Side, text: Text) -> list[Evidence]:
        faults: list[str] = []
        key = key_of(text)
        located = [Located.of(one, text, key[0]) for one in self._panel.find(text, faults)]
        evidence = self._written(side, located)
        if faults:
            self._complain("; ".join(faults))
        else:
            self._known[key] = tuple((one.located.remembered(), one.found) for one in evidence)
        hosts = [Located.of(one, text, key[0]) for one in self._hosts(case, text)]
        return evidence + self._written(side, hosts)

    def _hosts(self, case: Case, text: Text) -> list[Finding]:
        """What a model or a tool names; what people name themselves counts as seen."""
        found = self._habits.hosts(case.namespace, text.text)
        return [] if text.author in ("user", "system") else found

    def _written(self, side: Side, located: list[Located]) -> list[Evidence]:
        if not located:
            return []
        found = as_written(located, self._masker)
        return [Evidence(side, *pair) for pair in zip(located, found, strict=True)]

    def _next(self, docket: Docket) -> Case | None:
        """A case with a text to judge."""
        while not self._waiting:
            if not self._elsewhere and not self._ask(docket):
                return None
            case = self._read_again(self._elsewhere[0], docket)
            self._elsewhere.popleft()
            case.texts = [one for one in case.texts if not self._recall(case, *one)]
            if case.texts:
                self._held += case.characters
                self._waiting.append(case)
            else:
                self._done.append(case)
        return self._waiting[0]

    def _read_again(self, row: UnjudgedRow, docket: Docket) -> Case:
        """What is gone, or damaged, has nothing to be judged."""
        try:
            found = docket.case(row, self.rulebook.policies)
        except DatabaseUnavailable:
            raise
        except Exception as exc:  # noqa: BLE001  fails open: the other calls are judged
            self._complain(f"the call {row.id} is not judged: {type(exc).__name__}: {exc}")
            found = None
        return found or Case(row.ns_id, "", row.id.bytes, 0)

    def _ask(self, docket: Docket) -> bool:
        """For what was left when a worker ended. Is there any?"""
        if not self._asked:
            ours = {case.flow for case in (*self._fresh, *self._waiting, *self._done)}
            rows = docket.unjudged(self._home, MOST_ROWS)
            self._elsewhere += (row for row in rows if row.id.bytes not in ours)
            self._asked = len(rows) < MOST_ROWS
        return bool(self._elsewhere)

    def _row(self, case: Case) -> UnjudgedRow:
        request = any(side == "request" for side, _ in case.texts)
        return UnjudgedRow(case.ns_id, UUID(bytes=case.flow), self._home, request)

    def _look(self) -> None:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            try:
                self.rulebook.refresh()
            except LlmproxyError as exc:
                self._complain(str(exc))

    def _complain(self, problem: str) -> None:
        """Once."""
        if problem not in self._faults and len(self._faults) < 100:
            self._faults.add(problem)
            logger.warning(problem)
