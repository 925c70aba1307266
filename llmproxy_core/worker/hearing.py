"""What is said of a call later: by the calls after it, by people, by the advisor.

It is written with the transaction that stores the call which says it. Where the call that it is about is
remembered no more, the store is asked before that transaction is committed. Only after a restart calls are
stored before it is known what they say, while those before them are heard again: what is not told of
these then is told at the next restart. So nothing of it is lost or counted twice, whatever is killed when.
"""

from collections import deque
from uuid import UUID

from llmproxy_core.records import Event
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.success.call import Call
from llmproxy_core.success.feedback import Feedback
from llmproxy_core.success.signal import Signal
from llmproxy_core.success.trail import EDITING, Trails
from llmproxy_core.worker.school import School
from llmproxy_core.worker.standing import Standing, Standings, rows
from llmproxy_core.worker.told import feedback_of

MOST_HEARD = 300
"""Calls that are heard again after a restart."""
MOST_UNHEARD = 200
"""Calls that wait for that."""
ANSWERS = 20_000
"""Ids of answers that are remembered, for feedback."""

type Late = tuple[int, int, Signal]
"""Namespace, time, and what is said."""


class Hearing:
    """Not thread-safe."""

    def __init__(self, standings: Standings) -> None:
        self._standings = standings
        self._trails = Trails()
        self._heard = False
        """Has what was said before a restart been heard?"""
        self._unheard: list[Call] = []
        self._to_hear: deque[tuple[int, UUID]] | None = None
        """Calls of before a restart; None: it is not known which."""
        self._again: deque[Late] = deque()
        """What they say: it was told then, if nothing was killed."""
        self._answers: Recent[str, UUID] = Recent(ANSWERS)
        self._late: deque[Late] = deque()
        """What is said of calls that are not remembered."""
        self._unnamed: deque[tuple[int, int, Feedback, UUID | None]] = deque()
        """Feedback about answers of which only the store may know the call."""

    @property
    def has_work(self) -> bool:
        return self.owes or not self._heard

    @property
    def owes(self) -> bool:
        """Is there something that has to go into the batch which is being collected?"""
        return bool(self._late or self._unnamed)

    @property
    def is_done(self) -> bool:
        """Is all told that is said of calls which are stored?"""
        return self._heard and not self.waiting

    @property
    def waiting(self) -> bool:
        return bool(self._unheard or self.owes)

    def answered(self, answer: str, call: UUID) -> None:
        """The provider has given its answer this id."""
        self._answers[answer] = call

    def hear(self, call: Call, into: Lessons) -> None:
        """A call that is over, with what it says of earlier ones."""
        if not self._heard and len(self._unheard) < MOST_UNHEARD:
            self._unheard.append(call)
            return
        for one in self._trails.hear(call):
            self.say((call.ns_id, call.at, one), into)

    def told(self, record: Event, ns_id: int, into: Lessons) -> None:
        """A person says of an answer what it was worth."""
        if (said := feedback_of(record)) is None:
            return
        feedback, by = said
        id = self._named(feedback.id)
        if id is None:
            self._unnamed.append((ns_id, record.at, feedback, by))
        else:
            self.say((ns_id, record.at, feedback.signal(id, by=by)), into)

    def say(self, late: Late, into: Lessons) -> None:
        """It is stored, with what it changes; later, if the call is not remembered."""
        standing = self._standings.get(late[2].request)
        if standing is None:
            self._late.append(late)
        else:
            self._write(late, standing, into)

    def recall(self, school: School, into: Lessons) -> None:
        """Ask the store about what is not remembered. Raises DatabaseUnavailable; what is not in `into`
        by then is still owed."""
        while self._unnamed:
            ns_id, at, feedback, by = self._unnamed[0]
            id = school.answered(ns_id, feedback.id, at)
            self._unnamed.popleft()
            if id is not None:
                self.say((ns_id, at, feedback.signal(id, by=by)), into)
        while self._late:
            late = self._late[0]
            ns_id, _, signal = late
            standing = self._standings.get(signal.request)
            if standing is None and (standing := self._remembered(school, ns_id, signal)):
                standing.told = [one for one in standing.told if not _is_same(one, signal)]
            self._late.popleft()
            self._write(late, standing, into)

    def hear_again(self, school: School, into: Lessons) -> None:
        """One of the calls of the half hour before the latest. Raises DatabaseUnavailable, and may
        then be called again."""
        if self._heard:
            return
        while self._again:
            self._say_untold(school, self._again[0], into)
            self._again.popleft()
        if self._to_hear is None:
            found = school.latest(MOST_HEARD)
            since = max((_began(id) for _, id in found), default=0) - EDITING
            self._to_hear = deque(
                one
                for one in found
                if _began(one[1]) >= since and self._standings.get(one[1]) is None
            )
        if self._to_hear:
            ns_id, id = self._to_hear[0]
            call = school.call(ns_id, id)
            self._to_hear.popleft()
            if call is not None:
                self._again.extend((ns_id, call.at, one) for one in self._trails.hear(call))
            return
        self._heard = True
        unheard, self._unheard = self._unheard, []
        for call in unheard:
            self.hear(call, into)

    def _say_untold(self, school: School, late: Late, into: Lessons) -> None:
        ns_id, _, signal = late
        standing = self._remembered(school, ns_id, signal)
        if standing is not None and not any(_is_same(one, signal) for one in standing.told):
            self._write(late, standing, into)

    def _remembered(self, school: School, ns_id: int, signal: Signal) -> Standing | None:
        """Of the call that it is about; from the store, if need be. None: it is gone."""
        standing = self._standings.get(signal.request)
        if standing is None and (standing := school.standing(ns_id, signal.request)):
            self._standings.begin(signal.request, standing)
        return standing

    def _write(self, late: Late, standing: Standing | None, into: Lessons) -> None:
        ns_id, at, signal = late
        into.signals += rows(ns_id, at, [signal])
        if standing is not None:
            into.sums += self._standings.heard(standing, signal)

    def _named(self, about: str) -> UUID | None:
        """The call that somebody means: by our id, or by that of its answer."""
        try:
            return UUID(about)
        except ValueError:
            return self._answers.get(about)


def _is_same(one: Signal, other: Signal) -> bool:
    """Of the same name, by the same."""
    return (one.name, one.by) == (other.name, other.by)


def _began(call: UUID) -> int:
    """ns since 1970."""
    return (call.int >> 80) * 10**6
