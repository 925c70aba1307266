"""There is room for so many patterns; the least useful are forgotten."""

import time
from dataclasses import replace
from uuid import uuid4

import pytest

from llmproxy_core.config import LearningConfig
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.store.learning_rows import PatternRow
from llmproxy_core.worker import classes, forgetting
from llmproxy_core.worker.forgetting import least_useful, thin, usefulness
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.known_pattern import Known
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.spaces import Space
from llmproxy_core.worker.storage import DatabaseStorage
from tests.worker.school_bench import CITIES, Bench, asking, prompt_of
from tests.worker.traffic import SECOND, Call

DAY = 86_400 * 10**9


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(forgetting, "CROWDED", 9)
    monkeypatch.setattr(forgetting, "ROOM", 8)
    monkeypatch.setattr(forgetting, "MERGED", 3)


def space(calls: list[int], days: list[int]) -> tuple[Space, list[str]]:
    """With one pattern for each number of calls, the last so many days ago."""
    made, ids, now = Space(1), [], time.time_ns()
    for many, ago in zip(calls, days, strict=True):
        id = str(uuid4())
        made.miner.patterns[id] = Pattern(id, "user", (f"{id} asks",), name=id, calls=many)
        made.known[id] = Known(many, now - ago * DAY, now - ago * DAY)
        ids.append(id)
    return made, ids


def none() -> set[str]:
    return set()


def test_nothing_is_forgotten_while_there_is_room(small):
    made, _ = space([1] * 9, [100] * 9)
    assert list(made.make_room(none)) == []
    assert len(made.miner.patterns) == 9


def test_what_came_seldom_and_long_ago_is_forgotten_first(small):
    made, ids = space([1, 1000, 1, 1000] + [50] * 6, [0, 70, 30, 0] + [1] * 6)
    gone = list(made.make_room(none))
    assert {str(row.id) for row in gone} == {ids[1], ids[2]}  # 2^10 calls of ten weeks ago are one
    assert made.miner.patterns.keys() == made.known.keys() == {*ids} - {ids[1], ids[2]}
    assert [row.what for row in made.unstored.events] == ["forgotten"] * 2


def test_what_people_and_rules_name_stays(small):
    made, ids = space([1] * 10, [400, 300, 200, *[0] * 7])
    made.miner.patterns[ids[0]].given = True
    gone = list(made.make_room(lambda: {ids[1]}))
    assert ids[2] in {str(row.id) for row in gone}
    assert {ids[0], ids[1]} <= made.miner.patterns.keys()


def test_of_what_was_merged_the_latest_are_remembered(small):
    made, ids = space([1] * 8, [0] * 8)
    for id in ids[:5]:
        made.miner.patterns[id].merged_into = ids[7]
    assert list(made.make_room(none)) == []
    assert list(made.miner.patterns) == ids[2:]


def test_examples_share_the_room_that_there_is(monkeypatch):
    monkeypatch.setattr(forgetting, "EXAMPLES_SIZE", 400)
    found = Miner()
    for id, sizes in (("a", [50, 60, 70, 80]), ("b", [300, 90]), ("c", [20])):
        texts = [f"{n}" * size for n, size in enumerate(sizes)]
        found.patterns[id] = Pattern(id, "user", (id,), examples=dict.fromkeys(texts, 0))
    assert list(thin(found)) == ["a", "b"]
    assert {id: [len(t) for t in one.examples] for id, one in found.patterns.items()} == {
        "a": [80],
        "b": [90],
        "c": [20],
    }
    assert list(thin(found)) == []


def test_a_call_is_worth_half_of_one_a_week_later():
    old, new = Known(8, 0, 0), Known(4, 0, 7 * DAY)
    assert usefulness(old, 7 * DAY) == usefulness(new, 7 * DAY)


def test_the_patterns_of_today_are_told_from_those_to_forget_at_once():
    made, _ = space([1 + n % 50 for n in range(12_000)], [n % 90 for n in range(12_000)])
    begun = time.process_time()
    gone = least_useful(made.miner, made.known, none, time.time_ns())
    assert len(gone) == 12_000 - forgetting.ROOM
    assert time.process_time() - begun < 3


WORDINGS = (
    "Please write a short poem about {} in which the number {} stands at the end of a line.",
    "Translate this letter of our office in {} into French; it has {} sentences, keep them apart.",
    "Which flights go from {} to the coast before noon? Show {} of them with their prices.",
    "The invoice of the hotel in {} lists {} items. Add them up and tell what is due.",
    "Here is a recipe from {}: it serves {} guests. Rewrite it for two people and an oven.",
    "Explain to a child why the tower of {} leans by {} millimetres more than a year ago.",
)
FORGOTTEN = "SELECT id FROM prompt_patterns WHERE state ? 'forgotten'"


def report(n: int, kind: int) -> Call:
    """One of several wordings."""
    return asking(100 * kind + n, WORDINGS[kind].format(CITIES[n % 10], n * 37 % 101))


def test_new_patterns_come_where_old_ones_are_forgotten(
    config, home, storage, journal, monkeypatch
):
    monkeypatch.setattr(forgetting, "CROWDED", 2)
    monkeypatch.setattr(forgetting, "ROOM", 2)
    monkeypatch.setattr(classes, "PAUSE", 0.0)
    monkeypatch.setattr(classes, "SHARE", 0.0)
    own = config.model_copy(update={"learning": LearningConfig(min_calls=10)})
    learning = Learning(own, home)
    intake = Intake(home.spool, storage, learning=learning)
    worker = Bench(own, home, storage, journal, learning, intake)
    for kind in range(6):
        worker.run(*(report(n, kind) for n in range(25)))
    found = worker.rows("SELECT id, calls::int, state ? 'forgotten' FROM prompt_patterns")
    assert [row[1] for row in found] == [25] * 6  # what was counted of them stays
    gone = {row[0] for row in found if row[2]}
    assert len(gone) == 3
    told = worker.rows("SELECT what, pattern_id FROM pattern_history")
    assert [what for what, _ in told].count("born") == 6
    assert {id for what, id in told if what == "forgotten"} == gone
    worker.start_again()
    worker.run(*(report(n, 5) for n in range(25, 30)))
    assert worker.rows("SELECT sum(calls)::int FROM prompt_patterns") == [(155,)]
    assert {row[0] for row in worker.rows(FORGOTTEN)} == gone


def test_examples_go_with_the_calls_they_are_of(config, home, storage, journal, monkeypatch):
    kept = config.retention.model_copy(update={"days": 14})
    own = config.model_copy(update={"learning": LearningConfig(min_calls=10), "retention": kept})
    store = DatabaseStorage(own, home)
    learning = Learning(own, home)
    worker = Bench(
        own, home, store, journal, learning, Intake(home.spool, store, learning=learning)
    )
    now = time.time_ns()
    old = [replace(report(n, 0), at=now - 40 * DAY + n * SECOND) for n in range(25)]
    new = [replace(report(n, 0), at=now - DAY + n * SECOND) for n in range(25, 29)]
    worker.run(*old, *new[:3])
    monkeypatch.setattr(classes, "DROP_SECONDS", 0.0)
    monkeypatch.setattr(classes, "LOOK_SECONDS", 0.0)
    learning._classes._look_at = learning._classes._drop_at = 0.0
    worker.run(new[3])
    ((examples, pieces),) = worker.rows(
        "SELECT state #> '{pattern,examples}', pieces FROM prompt_patterns"
    )
    assert {text: at for text, at in examples} == {prompt_of(one): one.at for one in new}
    assert "".join(piece or "…" for piece in pieces) == WORDINGS[0].replace(" {} ", "…")
    store.close()


def test_patterns_that_the_store_has_deleted_do_not_come_back(small):
    made, (old, new) = space([30, 30], [400, 0])
    now = time.time_ns()
    for id, ago in ((old, 400), (new, 400)):
        made.miner.patterns[id].examples = {"what it said": now - ago * DAY, "again": now}
    made.drop_before(now - 30 * DAY)
    assert [str(row.id) for row in made.flush(whole=True) if isinstance(row, PatternRow)] == [new]
    assert [list(one.examples) for one in made.miner.patterns.values()] == [["again"]] * 2
