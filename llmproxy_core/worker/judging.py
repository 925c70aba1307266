"""What is wrong with calls that are stored: answers, what was left over, what is unusual.

A call is stored first, and judged when there is time: until then it is in the table `unjudged`, out
of which it goes in the transaction of what was found. So each call is judged once, whatever is killed
when. A text that was judged before costs a look at its hash, and its call is done with at once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from llmproxy_core.anomaly.detectors import DETECTORS, FAMILIES
from llmproxy_core.anomaly.finding import Detector, Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.marks import Marks, Unmarked
from llmproxy_core.anomaly.panel import Panel
from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.masking.excerpts import as_written
from llmproxy_core.masking.masker import Masker
from llmproxy_core.model import Response
from llmproxy_core.records import Closed, Found
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.batch import Batch
from llmproxy_core.worker import opinions
from llmproxy_core.worker.advising import Advising
from llmproxy_core.worker.backlog import Backlog, Docket
from llmproxy_core.worker.cases import Case, Evidence, Key, Side, key_of
from llmproxy_core.worker.docket import case_of
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.habits import Habits
from llmproxy_core.worker.redacting import Redacted, Redacting, wanted
from llmproxy_core.worker.seal import Sealed
from llmproxy_core.worker.verdict import verdict

WORDS = "injection"
"""The detector to which marks are misleading."""
REMEMBERED = 50_000
"""Texts whose verdict is known without looking."""
LOOK_SECONDS = 1.0
"""How often the rules are looked at."""

type Known = tuple[tuple[Located, Found], ...]

logger = logging.getLogger(__name__)


class Judging:
    """Not thread-safe. Of its methods only `work` takes time, and raises (DatabaseUnavailable)."""

    def __init__(
        self, settings: Config, home: Home, detectors: Sequence[Detector] = DETECTORS
    ) -> None:
        self.rulebook = Rulebook(settings, home, logger.warning)
        self._settings = settings.anomaly
        self._masker = Masker(Scrubber(home.fingerprint_key()))
        asked = (*(Unmarked(one) if one.name == WORDS else one for one in detectors), Marks())
        self._panel = Panel(asked)
        self._names = frozenset(one.name for one in asked)
        self._habits = Habits(home.usual)
        self._advising = Advising(settings.advisor, home, self._masker)
        self._redacting = Redacting(self._masker, self._panel)
        self._known: Recent[Key, Known] = Recent(REMEMBERED)
        self._fresh: list[Case] = []
        """Of the batch that is not committed yet."""
        self._backlog = Backlog(str(home.path))
        self._at: Case | None = None
        """The one that is being judged."""
        self._done: list[Case] = []
        self._delivered: list[Case] = []
        self._look_at = 0.0
        self._faults: set[str] = set()

    @property
    def idle(self) -> bool:
        """Is there nothing to judge, and nothing to be delivered?"""
        return not (self._at or self._backlog or self._done)

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

    def redacted(self, exchange: Exchange, record: Closed, answer: Response) -> Redacted | None:
        """The answer without what policies want not to be stored; None: it is as it may be."""
        return self._redacting(exchange, record, answer, self.rulebook.policies)

    @property
    def shows(self) -> bool:
        """May open answers be shown before they are looked into?"""
        return not wanted(self.rulebook.policies)

    def committed(self) -> None:
        """What was closed before is stored: it may be judged now."""
        for case in self._delivered:
            self._backlog.finished(case)
        for case in self._fresh:
            self._backlog.put(case)
        self._delivered.clear()
        self._fresh.clear()
        self._habits.keep()

    def has_work(self, docket: Docket) -> bool:
        """Is there a call to judge? Raises DatabaseUnavailable."""
        self._look()
        return self._settings.worker and self._next(docket) is not None

    def work(
        self,
        seconds: float,
        docket: Docket,
        least: float = 0.0,
        called: Callable[[], bool] = lambda: False,
    ) -> None:
        """Judge for so long, a text at least; `called` away, only for `least`.

        Raises DatabaseUnavailable.
        """
        if not self.has_work(docket):
            return
        begun = time.monotonic()
        while (case := self._next(docket)) is not None:
            if case.texts:
                side, text = case.texts.pop(0)
                if not self._recall(case, side, text):  # another call may have had it meanwhile
                    case.evidence += self._judged(case, side, text)
            if not case.texts:
                self._done.append(case)
                self._at = None
            spent = time.monotonic() - begun
            if spent >= seconds or (spent >= least and called()):
                return

    def deliver(self, into: Batch) -> None:
        """What was found is written with the next batch."""
        for case in self._done:
            self._tell(case, into)
            into.judged.append((case.ns_id, UUID(bytes=case.flow)))
        self._delivered += self._done
        self._done.clear()
        for opinion in self._advising.opinions():
            opinions.record(opinion, self.rulebook.learned, into)

    def warm(self) -> None:
        """Have the detectors read what they need, before there is something to wait for."""
        if self._settings.worker:
            self._panel.warm()

    def close(self) -> None:
        if self._settings.worker:
            self._habits.keep(now=True)
        self._advising.close()

    def _take(
        self, exchange: Exchange, record: Closed, sealed: Sealed, into: Batch, *, imported: bool
    ) -> None:
        whole = imported or not self._settings.proxy
        policies = self.rulebook.policies
        case = case_of(exchange, record, sealed, policies, whole=whole)
        case.imported = imported
        if not imported:
            case.beside = self._written("response", self._habits.call(exchange, sealed))
            case.evidence += case.beside
        if self._advising.enabled:
            for asked in opinions.about_decided(case, exchange, record, sealed.answer, policies):
                self._advising.ask(asked)
        case.texts = [one for one in case.texts if not self._recall(case, *one)]
        if not case.texts:
            self._tell(case, into)
            return
        into.unjudged.append(self._backlog.row(case))
        self._fresh.append(case)

    def _tell(self, case: Case, into: Batch) -> None:
        hits = verdict(case, self.rulebook, into)
        if self._advising.enabled:
            for asked in opinions.about(case, hits):
                self._advising.ask(asked)

    def _next(self, docket: Docket) -> Case | None:
        if self._at is None:
            self._at = self._backlog.take(docket, self.rulebook.policies)
        return self._at

    def _recall(self, case: Case, side: Side, text: Text) -> bool:
        """Is the verdict on a text known? What was found in an earlier turn is not told again."""
        known = self._known.get(key_of(text, _without(case, side)))
        if known is None:
            return False
        new = side == "response"
        case.evidence += (Evidence(side, located, found, new) for located, found in known)
        return True

    def _judged(self, case: Case, side: Side, text: Text) -> list[Evidence]:
        faults: list[str] = []
        without = _without(case, side)
        key = key_of(text, without)
        findings = self._panel.find(text, faults, self._names - without)
        told = frozenset[str]().union(*(FAMILIES[name] for name in without if name in FAMILIES))
        located = [Located.of(one, text, key[0]) for one in findings if one.family not in told]
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


def _without(case: Case, side: Side) -> frozenset[str]:
    return case.asked if side == "request" else frozenset()
