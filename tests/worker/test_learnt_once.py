"""The law: whatever breaks when, each call is learnt once, and what is stored of it is what counts."""

import random
import time
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import text

from llmproxy_core.config import LearningConfig
from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.records import Event
from llmproxy_core.store import experiment_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.worker.experimenting import Experimenting
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.storage import DatabaseStorage
from tests.worker.processes import wait_for, worker
from tests.worker.school_bench import Bench, asking, cut, prompt_of, weather
from tests.worker.test_duplicates import copied
from tests.worker.test_experimenting import (
    LATER,
    begun,
    bench,
    conversation,
    status,
    traffic,
)
from tests.worker.traffic import MS, Call, append, chat

__all__ = ["begun", "bench"]
SUMS = """
SELECT coalesce(sum(d.calls), 0)::int, coalesce(sum(d.judged), 0)::int, coalesce(sum(d.good), 0)::int
FROM pattern_days d JOIN prompt_patterns p ON p.id = d.pattern_id AND p.kind = 'user'
"""
CALLS = 40


class Flaky:
    """A storage that is away now and then: before a commit, after it, or while it is asked."""

    def __init__(self, storage: DatabaseStorage) -> None:
        self._storage = storage
        self.faults: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "school" and self.faults and self.faults[0] == "asked":
            self.faults.pop(0)
            raise DatabaseUnavailable("gone while it was asked")
        return getattr(self._storage, name)

    def write(self, batch: Batch) -> object:
        fault = self.faults.pop(0) if self.faults and self.faults[0] != "asked" else ""
        if fault == "before":
            raise DatabaseUnavailable("gone before the commit")
        change = self._storage.write(batch)
        if fault == "after":
            raise DatabaseUnavailable("gone after the commit")
        return change


def answer(n: int) -> bytes | None:
    """Every tenth is cut; each has an id."""
    return cut("It is") if n % 10 == 4 else chat(f"answer {n}", id=f"answer-{n}")


def records() -> list[list[Any]]:
    """Calls of one pattern; corrections of some, and feedback about others by the ids of answers."""
    found: list[list[Any]] = []
    for n in range(CALLS):
        call = weather(n, answer=answer(n))
        found.append(call.records())
        if n % 8 == 7:
            first = weather(n - 5)
            before = (("user", prompt_of(first)), ("assistant", f"answer {n - 5}"))
            wrong = asking(200 + n, "No, that's wrong, look again.", *before)
            found.append(replace(wrong, at=call.at + 30_000 * MS).records())
        if n % 8 == 5:
            data: dict[str, Any] = {"about": f"answer-{n - 4}", "verdict": "bad", "by": ""}
            at = call.at + 1000 * MS
            found.append([(Event(Call(300 + n, at).id, at, "feedback", data), b"")])
    return found


class Course:
    """A worker as steps let it go on."""

    def __init__(self, bench: Bench, storage: Flaky) -> None:
        self.bench = bench
        self.storage = storage
        self.crash()

    def crash(self) -> None:
        self.storage.faults.clear()
        one = self.bench
        one.learning = Learning(one.config, one.home, None, lambda: self.storage.school)
        one.intake = Intake(one.home.spool, self.storage, 7, learning=one.learning)

    def store(self) -> int:
        """A part of the journals; how many records it was."""
        intake = self.bench.intake
        collected = intake.collect()
        while intake.due or intake.waiting:
            try:
                intake.commit()
            except DatabaseUnavailable:
                continue
        return collected

    def learn(self) -> None:
        try:
            self.bench.learning.work(0.02, self.storage.school)
        except DatabaseUnavailable:
            return

    def end(self) -> None:
        """Until all is done, as `worker --once`."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            self.learn()
            collected = self.store()
            learning = self.bench.learning
            if not collected and learning.idle and not learning.finish():
                return
            time.sleep(0.01)  # what consolidates is a process of its own
        raise AssertionError("it does not end")


def learnt(bench: Bench) -> list[Any]:
    told = bench.rows(
        "SELECT name, count(*), count(DISTINCT request_id) FROM signals "
        "WHERE name IN ('correction', 'feedback', 'truncated') GROUP BY 1 ORDER BY 1"
    )
    return [bench.count("pattern_calls"), bench.count("unlearnt"), bench.rows(SUMS), told]


STEPS = ["append", "append", "store", "store", "learn", "crash", "before", "after", "asked", "copy"]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_breaks_when_each_call_is_learnt_once(config, home, storage, journal, seed):
    own = config.model_copy(update={"learning": LearningConfig(min_calls=10)})
    flaky = Flaky(storage)
    mine = Bench(own, home, storage, journal, None, None)  # type: ignore[arg-type]
    course, dice, left, copies = Course(mine, flaky), random.Random(seed), records(), 0
    for step in dice.choices(STEPS, k=60 if seed else 0):  # the first is not disturbed
        if step == "append":
            mine.append(*chain(*left[:2]))
            left = left[2:]
        elif step == "copy" and copies < 2 * (seed % 2):
            copied(journal)
            copies += 1
        elif step in ("before", "after", "asked"):
            flaky.faults.append(step)
        elif step != "copy":
            getattr(course, step)()
    mine.append(*chain(*left))
    flaky.faults.clear()
    course.end()
    of_patterns, left_over, sums, said = learnt(mine)
    assert of_patterns + left_over == CALLS + 5
    assert (
        of_patterns >= CALLS
    )  # whether corrections are a pattern depends on when they are looked at
    [(bad,)] = mine.rows("SELECT count(DISTINCT request_id) FROM signals WHERE verdict < 0")
    assert said == [("correction", 5, 5), ("feedback", 5, 5), ("truncated", 4, 4)]
    if (
        not copies
    ):  # a copy that is read while its original waits may change a sum, see docs/learning.md
        assert sums == [(of_patterns, of_patterns, of_patterns - bad)]


def test_a_database_that_goes_away_in_a_verdict_is_asked_again(bench, begun, monkeypatch):
    """All that is due was counted by then."""
    enhancement, one = begun
    traffic(bench, one, 150, 0.9, 0.5)
    judge = experiment_changes.judge
    gone = iter([True, False])

    def away(*args: Any) -> Any:
        if next(gone, False):
            raise DatabaseUnavailable("gone between the counting and the verdict")
        return judge(*args)

    monkeypatch.setattr(experiment_changes, "judge", away)
    with pytest.raises(DatabaseUnavailable):
        Experimenting(LearningConfig()).round(bench.storage.database(), LATER)
    bench.append(*conversation(one, 5_000, "enhanced", good=False))
    bench.run()
    Experimenting(LearningConfig()).round(bench.storage.database(), LATER)  # of another process
    assert status(bench, enhancement, one) == ("rolled_back", "rolled_back")


@pytest.mark.system
@pytest.mark.parametrize("seed", range(2))
def test_a_worker_that_is_killed_again_and_again_learns_each_call_once(
    config, home, journal, database, seed
):
    """Also in the midst of consolidations: they begin with ten new prompts."""
    (home.path / "mitm.toml").write_text("[learning]\nmin_calls = 10\n")
    dice, calls = random.Random(seed), 300
    for number in range(calls):
        append(journal, weather(number).records())

    def counted() -> tuple[int, int]:
        with database.connect() as connection:
            ours = connection.scalar(text("SELECT count(*) FROM requests")) or 0
            return ours, connection.scalar(text("SELECT count(*) FROM pattern_calls")) or 0

    for _ in range(6):
        with worker(home, config.database.url):  # killed at the end
            wait_for(lambda: counted()[0] > 0, "nothing is stored")
            time.sleep(dice.uniform(0.0, 2.5))
    with worker(home, config.database.url, "--once") as last:
        wait_for(partial(_ended, last), "it does not end", 300)
    assert counted() == (calls, calls)
    with database.connect() as connection:
        assert connection.execute(text(SUMS)).one() == (calls, calls, calls)
        assert connection.scalar(text("SELECT count(*) FROM unlearnt")) == 0


def _ended(last: Any) -> bool:
    return last.process.poll() is not None
