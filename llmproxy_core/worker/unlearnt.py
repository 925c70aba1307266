"""Calls that are to be looked at: in memory as far as there is room, else as what the store has."""

from collections import deque
from uuid import UUID

from llmproxy_core.store.learning_rows import UnlearntRow
from llmproxy_core.worker.lesson import Lesson
from llmproxy_core.worker.school import School
from llmproxy_core.worker.too_new import TooNew

MOST_HELD = 16 * 2**20
"""Characters of calls that wait to be looked at; of what is more, the store is asked again."""
MOST_ROWS = 20_000
"""Calls that are asked for at a time, of those that are left over."""


class Unlearnt:
    """Of the worker of a home, first come, first served."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._fresh: list[Lesson] = []
        """Of the batch that is not committed yet."""
        self._queue: deque[Lesson] = deque()
        self._held = 0
        self._elsewhere: deque[UnlearntRow] = deque()
        self._ours: set[UUID] = set()
        """All calls that were put aside and are not learnt: the store names them, too."""
        self._learnt: list[UUID] = []
        self._asked = False

    def __bool__(self) -> bool:
        return bool(self._queue or self._elsewhere)

    @property
    def waiting(self) -> bool:
        """Also where the store was not asked yet for what is left over."""
        return bool(self or self._fresh) or not self._asked

    def put(self, lesson: Lesson) -> UnlearntRow:
        self._fresh.append(lesson)
        return UnlearntRow(lesson.ns_id, lesson.id, self._home)

    def committed(self) -> None:
        """What was put is stored, and what was learnt is struck out."""
        for lesson in self._fresh:
            self._ours.add(lesson.id)
            if self._held + lesson.characters > MOST_HELD:
                self._elsewhere.append(UnlearntRow(lesson.ns_id, lesson.id, self._home))
            else:
                self._held += lesson.characters
                self._queue.append(lesson)
        self._fresh.clear()
        self._ours.difference_update(self._learnt)
        self._learnt.clear()

    def refill(self, school: School, besides: TooNew) -> None:
        """Ask for what was left when a worker ended, where nothing is left here. Raises
        DatabaseUnavailable."""
        if self._asked or self:
            return
        rows = school.unlearnt(self._home, MOST_ROWS)
        known = self._ours | besides.ids | {lesson.id for lesson in self._fresh}
        self._elsewhere += (row for row in rows if row.id not in known)
        self._asked = len(rows) < MOST_ROWS or not self._elsewhere

    @property
    def first(self) -> Lesson | UnlearntRow | None:
        """The next call; a row is to be read again."""
        if self._queue:
            return self._queue[0]
        return self._elsewhere[0] if self._elsewhere else None

    def drop(self) -> None:
        """The first is looked at."""
        if self._queue:
            self._held = max(0, self._held - self._queue.popleft().characters)
        else:
            self._ours.add(self._elsewhere.popleft().id)

    def learnt(self, id: UUID) -> None:
        """It is struck out with the next batch."""
        self._learnt.append(id)
