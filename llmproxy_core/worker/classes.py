"""The patterns of all namespaces: which call is of which, and when they are found anew."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.learning_rows import (
    Lessons,
    PatternCallRow,
    PatternRow,
    UnlearntRow,
    VersionRow,
)
from llmproxy_core.worker.consolidating import Consolidation
from llmproxy_core.worker.lesson import Lesson
from llmproxy_core.worker.school import School
from llmproxy_core.worker.spaces import Space
from llmproxy_core.worker.standing import Standing
from llmproxy_core.worker.too_new import TooNew
from llmproxy_core.worker.unlearnt import Unlearnt

MOST_SPACES = 32
MOST_CHARACTERS = 64_000_000
"""Of the prompts that wait in the miners of all namespaces, and of the examples they keep."""
FLUSH_SECONDS = 5.0
STATE_SECONDS = 60.0
"""How often counts of patterns are stored, and all that the miner knows of them."""
LOOK_SECONDS = 5.0
"""How often to look for names that people gave."""
DROP_SECONDS = 3600.0
"""How often to leave out examples that are older than what the store keeps, as it does itself."""
PAUSE, SHARE = 10.0, 30.0
"""Seconds between two consolidations at least, and as a multiple of what the last one took."""
FEW_PAUSE = 60.0
"""The same where only few prompts are new."""
FEW = 4

logger = logging.getLogger(__name__)

type Looked = tuple[Lesson, Standing | None, list[PatternCallRow]]


class Classes:
    """`home`: whose calls are left over. `enough`: new prompts because of which patterns are found
    anew. Not thread-safe."""

    def __init__(self, home: str, enough: int) -> None:
        self._enough = enough
        self._spaces: OrderedDict[int, Space] = OrderedDict()
        self._unlearnt = Unlearnt(home)
        self._too_new = TooNew()
        self._out = Lessons()
        """What becomes of patterns that are forgotten."""
        self._consolidation: Consolidation | None = None
        self._next: dict[int, float] = {}
        self._flush_at = self._state_at = self._look_at = self._drop_at = 0.0

    @property
    def waiting(self) -> bool:
        return bool(self._unlearnt.waiting or self._too_new)

    def tools_known(self, ns_id: int) -> Callable[[int], bool]:
        space = self._spaces.get(ns_id)
        return space.tools_known if space is not None else _nothing

    def glance(self, lesson: Lesson) -> list[PatternCallRow] | None:
        """The patterns of a call, if they are known without looking."""
        space = self._spaces.get(lesson.ns_id)
        return space.glance(lesson) if space is not None else None

    def put(self, lesson: Lesson) -> UnlearntRow:
        """Look at it later."""
        return self._unlearnt.put(lesson)

    def committed(self) -> None:
        self._unlearnt.committed()

    def has_work(self, school: School) -> bool:
        """Raises DatabaseUnavailable."""
        self._consolidate(school)
        self._unlearnt.refill(school, self._too_new)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self._heed(school)
        if time.monotonic() >= self._drop_at:
            self._drop_at = time.monotonic() + DROP_SECONDS
            for space in self._spaces.values():
                space.drop_before(school.kept_since(space.ns_id))
        return bool(self._unlearnt or self._too_new)

    def work(self, school: School, into: Lessons) -> Looked | None:
        """Look at one call. None: nothing comes of it. Raises DatabaseUnavailable."""
        if self._too_new:
            return self._once_more(into)
        first = self._unlearnt.first
        if first is None:
            return None
        space = self._space(first.ns_id, school, into)
        if isinstance(first, Lesson):
            self._unlearnt.drop()
            return self._look(space, first, None, into)
        return self._look_elsewhere(space, first, school, into)

    def deliver(self, into: Lessons) -> None:
        """Patterns that have changed, now and then."""
        now = time.monotonic()
        spaces = self._spaces.values()
        if now < self._flush_at and not any(one.unstored.events for one in spaces):
            return
        self._flush_at = now + FLUSH_SECONDS
        whole = now >= self._state_at
        if whole:
            self._state_at = now + STATE_SECONDS
        into.add(self._out)
        self._out = Lessons()
        for space in spaces:
            _flush(space, into, whole=whole)
        for lesson in self._too_new.given_up():
            self._done(lesson, into)

    def left(self) -> Lessons:
        """All that is not stored yet of the patterns."""
        found, self._out = self._out, Lessons()
        for space in self._spaces.values():
            _flush_all(space, found)
        return found

    def cancel(self) -> None:
        if self._consolidation is not None:
            self._consolidation.cancel()
            self._consolidation = None

    def finish(self) -> bool:
        """Begin what is worth it though little is new; is anything under way?"""
        for space in self._spaces.values():
            if self._consolidation is None and space.miner.fresh >= FEW:
                self._begin(space)
        return self._consolidation is not None

    def _look(
        self, space: Space, lesson: Lesson, standing: Standing | None, into: Lessons
    ) -> Looked:
        try:
            found = space.look(lesson, into)
        except Exception:
            self._done(lesson, into)  # fails open: else it would be in the way of all others
            raise
        if lesson.waits and not any(row.kind == "user" for row in found):
            lesson.done |= {row.kind for row in found} | {"system", "tools"}
            lesson.system = lesson.tools = ""
            self._too_new.put(lesson)
        else:
            self._done(lesson, into)
        return lesson, standing, found

    def _look_elsewhere(
        self, space: Space, row: UnlearntRow, school: School, into: Lessons
    ) -> Looked | None:
        read = None
        try:
            read = school.lesson(row.ns_id, row.id)
        except DatabaseUnavailable:
            raise
        except Exception as exc:  # noqa: BLE001  fails open: the other calls are learnt from
            logger.warning(f"nothing is learnt of the call {row.id}: {type(exc).__name__}: {exc}")
        self._unlearnt.drop()
        if read is None:
            into.learnt.append((row.ns_id, row.id))
            self._unlearnt.learnt(row.id)
            return None
        return self._look(space, read[0], read[1], into)

    def _once_more(self, into: Lessons) -> Looked | None:
        lesson, had = self._too_new.next()
        space = self._spaces.get(lesson.ns_id)
        if space is None:
            return None
        found = space.look_again(lesson, had=had)
        if not found:
            self._too_new.put(lesson, had=True)
            return None
        self._done(lesson, into)
        return lesson, None, found

    def _done(self, lesson: Lesson, into: Lessons) -> None:
        into.learnt.append((lesson.ns_id, lesson.id))
        self._unlearnt.learnt(lesson.id)

    def _space(self, ns_id: int, school: School, into: Lessons) -> Space:
        """Raises DatabaseUnavailable."""
        space = self._spaces.get(ns_id)
        if space is None:
            space = self._spaces[ns_id] = Space(ns_id, school.patterns(ns_id))
            self._forget(into)
        self._spaces.move_to_end(ns_id)
        return space

    def _forget(self, into: Lessons) -> None:
        """The namespaces that were not used for longest, where there are too many prompts."""
        while len(self._spaces) > 1 and (
            len(self._spaces) > MOST_SPACES
            or sum(one.size for one in self._spaces.values()) > MOST_CHARACTERS
        ):
            _, space = self._spaces.popitem(last=False)
            _flush_all(space, into)

    def _heed(self, school: School) -> None:
        """What people say of patterns."""
        for space in self._spaces.values():
            for one in school.changed(space.ns_id):
                space.heed(str(one.id), one.name, one.named_by, one.merged_into)

    def _consolidate(self, school: School) -> None:
        if self._consolidation is not None:
            if self._consolidation.done:
                self._take(self._consolidation)
                self._consolidation = None
            return
        now = time.monotonic()
        for space in self._spaces.values():
            fresh, due = space.miner.fresh, self._next.get(space.ns_id, 0.0)
            enough = fresh >= self._enough and now >= due
            if enough or (fresh >= FEW and now >= due + FEW_PAUSE):
                _add(self._out, space.make_room(partial(school.referred, space.ns_id)))
                self._begin(space)
                return

    def _begin(self, space: Space) -> None:
        structures = {id: known.structure() for id, known in space.known.items()}
        self._consolidation = Consolidation(space.ns_id, space.miner, structures)
        space.miner.fresh = 0
        self._too_new.begun(space.ns_id)

    def _take(self, one: Consolidation) -> None:
        result = one.take()
        space = self._spaces.get(one.ns_id)
        seconds = result.seconds if result is not None else 60.0
        self._next[one.ns_id] = time.monotonic() + max(PAUSE, SHARE * seconds)
        if result is None or space is None:
            return
        space.swap(result)
        self._too_new.done(one.ns_id)
        self._flush_at = self._state_at = 0.0


def _flush_all(space: Space, into: Lessons) -> None:
    while space.unstored:
        _flush(space, into, whole=True)


def _flush(space: Space, into: Lessons, *, whole: bool) -> None:
    _add(into, space.flush(whole=whole))
    into.history += space.unstored.events
    space.unstored.events = []


def _add(into: Lessons, rows: Iterable[PatternRow | VersionRow]) -> None:
    for row in rows:
        if isinstance(row, PatternRow):
            into.patterns.append(row)
        else:
            into.versions.append(row)


def _nothing(key: int) -> bool:
    return False
