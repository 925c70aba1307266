"""Calls whose prompt is too new for a pattern: they are looked at again when patterns were found."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from uuid import UUID

from llmproxy_core.worker.lesson import Lesson

MOST = 2_000
MOST_CHARACTERS = 16 * 2**20
"""Calls that wait, and characters of their prompts. Older ones are of no pattern."""


class TooNew:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[UUID, tuple[Lesson, bool]] = OrderedDict()
        """And: did the miner have it when it was last consolidated?"""
        self._held = 0
        self._again: deque[tuple[Lesson, bool]] = deque()

    def __bool__(self) -> bool:
        """Is there one to be looked at again?"""
        return bool(self._again)

    @property
    def ids(self) -> set[UUID]:
        return {*self._waiting, *(lesson.id for lesson, _ in self._again)}

    def put(self, lesson: Lesson, *, had: bool = False) -> None:
        self._waiting[lesson.id] = (lesson, had)
        self._held += len(lesson.user)

    def begun(self, ns_id: int) -> None:
        """The prompts of a namespace, as they are now, are consolidated."""
        for id, (lesson, _) in self._waiting.items():
            if lesson.ns_id == ns_id:
                self._waiting[id] = (lesson, True)

    def done(self, ns_id: int) -> None:
        """They were: all of them are to be looked at again."""
        for id in [id for id, (lesson, _) in self._waiting.items() if lesson.ns_id == ns_id]:
            self._again.append(self._take(id))

    def next(self) -> tuple[Lesson, bool]:
        """One that is to be looked at again. Raises IndexError: there is none."""
        return self._again.popleft()

    def given_up(self) -> Iterator[Lesson]:
        """The oldest, where there are too many."""
        while self._waiting and (len(self._waiting) > MOST or self._held > MOST_CHARACTERS):
            yield self._take(next(iter(self._waiting)))[0]

    def _take(self, id: UUID) -> tuple[Lesson, bool]:
        lesson, had = self._waiting.pop(id)
        self._held -= len(lesson.user)
        return lesson, had
