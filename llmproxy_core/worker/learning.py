"""What is learnt of calls: their patterns, whether they were a success, and what comes of experiments.

A call is stored first. What it says of itself, and of calls before it, is told with it; so are its
patterns, if they are known at a glance. Else it is looked at when there is time: until then it is in
the table `unlearnt`, out of which it goes in the transaction of what was learnt, so that each call
is learnt from once, whatever is killed when. A prompt that is too new for a pattern stays there as
long as there is room.
"""

import logging
import time
from collections.abc import Callable

from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.records import Closed, Event, Opened
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.store.learning_rows import Lessons, PatternCallRow
from llmproxy_core.success.call import Call
from llmproxy_core.success.judgements import is_sampled
from llmproxy_core.success.registry import judge
from llmproxy_core.worker.classes import Classes
from llmproxy_core.worker.counsel import Counsel
from llmproxy_core.worker.demanded import NOTHING, Demanded, demanded
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.hearing import Hearing
from llmproxy_core.worker.lesson import Lesson, Took
from llmproxy_core.worker.school import School
from llmproxy_core.worker.seal import Sealed
from llmproxy_core.worker.standing import Standing, Standings, rows
from llmproxy_core.worker.told import applied_rows, call_of
from llmproxy_core.worker.units import Units

logger = logging.getLogger(__name__)


class Learning:
    """Not thread-safe. Of its methods only `work` and `complete` take time, and raise
    (DatabaseUnavailable). `school`: asked for what is said of calls that are not remembered; without it
    that waits for `work`."""

    def __init__(
        self,
        settings: Config,
        home: Home,
        counsel: Counsel | None = None,
        school: Callable[[], School] | None = None,
    ) -> None:
        self._enabled = settings.learning.patterns
        self._counsel = counsel if counsel is not None and counsel.enabled else None
        self._school = school
        self._sample = settings.learning.advisor_sample
        self._standings = Standings(settings.learning.counting)
        self._classes = Classes(str(home.path), settings.learning.min_calls)
        self._units = Units()
        self._hearing = Hearing(self._standings)
        self._ended: list[tuple[Call, Demanded, Opened, ResponseRow]] = []
        """Calls of the batch that is being collected. They are looked at one after the other, when all
        are there: that costs half as much, since what it needs stays in the processor's caches."""
        self._out = Lessons()
        """What is to be written with the next batch."""
        self._faults: set[str] = set()

    @property
    def idle(self) -> bool:
        """Is there nothing to be learnt now, and nothing to be delivered?"""
        waits = self._hearing.has_work or self._hearing.waiting or self._classes.waiting
        return not (self._enabled and (waits or self._out))

    @property
    def has_heard(self) -> bool:
        """Is all told that is said of calls which are stored?"""
        return self._hearing.is_done and not self._out.signals

    def opened(self, exchange: Exchange, body: bytes) -> None:
        """A request is there. Its body is gone when the call is over."""
        if self._enabled:
            opened = exchange.opened
            known = self._classes.tools_known(exchange.ns_id)
            try:
                exchange.asked = demanded(opened.wire, opened.headers, body, known)
            except Exception as exc:  # noqa: BLE001  fails open: less is judged of the call
                self._complain(f"a request is not looked at: {type(exc).__name__}: {exc}")

    def closed(self, exchange: Exchange, record: Closed, sealed: Sealed) -> None:
        """A call has ended."""
        if not self._enabled:
            return
        asked = exchange.asked or NOTHING
        try:
            call = call_of(exchange, record, sealed, asked)
        except Exception as exc:  # noqa: BLE001  fails open: the call is stored all the same
            self._complain(f"nothing is learnt of a call: {type(exc).__name__}: {exc}")
        else:
            self._ended.append((call, asked, exchange.opened, sealed.response))

    def told(self, record: Event, ns_id: int, into: Batch) -> None:
        """A person says of an answer what it was worth."""
        if self._enabled:
            self._take_all(into.lessons)
            self._hearing.told(record, ns_id, into.lessons)

    def complete(self, into: Batch) -> None:
        """The batch is to be stored: what its calls say goes into it, also of calls that are not
        remembered. Raises DatabaseUnavailable, and may then be called again."""
        self._take_all(into.lessons)
        if self._school is not None and self._hearing.owes:
            self._hearing.recall(self._school(), into.lessons)

    def committed(self) -> None:
        """What was closed before is stored: it may be looked at now."""
        self._classes.committed()

    def has_work(self, school: School) -> bool:
        """Is there something to be learnt? Raises DatabaseUnavailable."""
        if not self._enabled:
            return False
        for one in self._counsel.graded() if self._counsel is not None else ():
            self._hearing.say((one.ns_id, one.at, one.signal), self._out)
        return self._hearing.has_work or self._classes.has_work(school)

    def work(
        self,
        seconds: float,
        school: School,
        least: float = 0.0,
        called: Callable[[], bool] = lambda: False,
    ) -> None:
        """Learn for so long, of a call at least; `called` away, only for `least`.

        Raises DatabaseUnavailable.
        """
        begun = time.monotonic()
        while self.has_work(school):
            self._some(school)
            spent = time.monotonic() - begun
            if spent >= seconds or (spent >= least and called()):
                return

    def deliver(self, into: Batch) -> None:
        """What was learnt is written with the next batch."""
        self._classes.deliver(into.lessons)
        into.lessons.add(self._out)
        self._out = Lessons()

    def finish(self) -> bool:
        """Find patterns among what is left, too; is anything under way?"""
        return self._enabled and self._classes.finish()

    def cancel(self) -> None:
        """What is under way elsewhere."""
        self._classes.cancel()

    def close(self, write: Callable[[Batch], object]) -> None:
        """Store what is known of patterns and not stored yet. Raises DatabaseUnavailable."""
        self._classes.cancel()
        left = self._classes.left()
        if left:
            write(Batch(lessons=left))

    def _take_all(self, into: Lessons) -> None:
        """What is known at once of the calls that have ended is told at once, the rest put aside."""
        ended, self._ended = self._ended, []
        for one in ended:
            try:
                self._take(*one, into)
            except Exception as exc:  # noqa: BLE001  fails open: the call is stored all the same
                self._complain(f"nothing is learnt of a call: {type(exc).__name__}: {exc}")

    def _take(
        self, call: Call, asked: Demanded, opened: Opened, row: ResponseRow, into: Lessons
    ) -> None:
        if self._standings.get(call.id) is not None:
            return  # of the copy of a journal
        own = judge(call)
        standing = Standing(call.ns_id, Took.of(call, row), own)
        self._standings.begin(call.id, standing)
        into.signals += rows(call.ns_id, call.at, own)
        if row.response_id:
            self._hearing.answered(row.response_id, call.id)
        if opened.enhanced is not None:
            into.applied += applied_rows(call, opened.enhanced)
            into.units += self._units.add(call, opened.enhanced, row)
        self._hearing.hear(call, into)
        if opened.body_kept != "full":
            return
        lesson = Lesson.of(call, standing.took, asked, opened.headers, opened.enhanced)
        if not lesson.says:
            return
        self._grade(call, lesson)
        found = self._classes.glance(lesson)
        if found is not None:
            self._learnt(lesson, standing, found, into)
        else:
            into.unlearnt.append(self._classes.put(lesson))

    def _grade(self, call: Call, lesson: Lesson) -> None:
        """Of a sample, the advisor is asked what the answer is worth."""
        if self._counsel is None or not call.says or not lesson.user or not call.response.text:
            return
        if is_sampled(call.id, self._sample):
            self._counsel.about_answer(call, f"{lesson.system}\n\n{lesson.user}".strip())

    def _learnt(
        self, lesson: Lesson, standing: Standing | None, found: list[PatternCallRow], into: Lessons
    ) -> None:
        into.calls += found
        if standing is not None:
            patterns = tuple(dict.fromkeys(row.pattern_id for row in found))
            into.sums += self._standings.learnt(lesson.id, standing, patterns)

    def _some(self, school: School) -> None:
        """A little of what is to be done. Raises DatabaseUnavailable, and has done nothing then."""
        if not self._hearing.has_work:
            self._look(school)
            return
        self._hearing.recall(school, self._out)
        self._hearing.hear_again(school, self._out)

    def _look(self, school: School) -> None:
        try:
            looked = self._classes.work(school, self._out)
            if looked is not None:
                self._take_in(*looked)
        except LlmproxyError:
            raise
        except Exception as exc:  # noqa: BLE001  fails open: the other calls are learnt from
            self._complain(f"nothing is learnt of a call: {type(exc).__name__}: {exc}")

    def _take_in(
        self, lesson: Lesson, standing: Standing | None, found: list[PatternCallRow]
    ) -> None:
        known = self._standings.get(lesson.id)
        if known is None and standing is not None:
            self._standings.begin(lesson.id, standing)
        self._learnt(lesson, known or standing, found, self._out)

    def _complain(self, problem: str) -> None:
        """Once."""
        if problem not in self._faults and len(self._faults) < 100:
            self._faults.add(problem)
            logger.warning(problem)
