"""What the worker learns of calls: once each, whatever was in between."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from llmproxy_core.config import LearningConfig
from llmproxy_core.enhancing.recognised import Recognised
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.records import Event
from llmproxy_core.store import pattern_changes
from llmproxy_core.store.changing import writing
from llmproxy_core.worker.improvements import Improvements
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.learning import Learning
from tests.worker.school_bench import Bench, asking, cut, id_of, prompt_of, weather
from tests.worker.traffic import NOON, Call, chat


@pytest.fixture
def bench(config, home, storage, journal) -> Callable[..., Bench]:
    def make(**learning: Any) -> Bench:
        own = config.model_copy(update={"learning": LearningConfig(**learning)})
        mine = Learning(own, home)
        intake = Intake(home.spool, storage, learning=mine)
        return Bench(own, home, storage, journal, mine, intake)

    return make


def test_what_is_asked_again_and_again_becomes_a_pattern(bench):
    worker = bench()
    worker.run(*(weather(n) for n in range(30)))
    [(kind, name, calls, type)] = worker.rows(
        "SELECT kind, name, calls::int, type FROM prompt_patterns"
    )
    assert (kind, calls) == ("user", 30)
    assert "rain" in name or "weather" in name
    assert type is not None
    assert worker.count("pattern_calls") == 30
    assert worker.count("unlearnt") == 0
    assert worker.sums() == [("user", 30, 30, 30)]
    assert worker.rows("SELECT what FROM pattern_history") == [("born",)]


def test_a_prompt_that_is_known_is_learnt_with_the_transaction_that_stores_it(bench):
    worker = bench()
    worker.run(*(weather(n) for n in range(30)))
    worker.store(weather(7))  # a copy of a journal: it is stored
    worker.run(weather(30))
    worker.store(asking(80, prompt_of(weather(30))))
    assert (worker.count("pattern_calls"), worker.count("unlearnt")) == (32, 0)
    assert worker.sums() == [("user", 32, 32, 32)]


def test_what_is_asked_once_is_of_no_pattern_and_waits(bench):
    worker = bench()
    worker.run(asking(1, "Where does the name of the river Danube come from?"))
    assert (worker.count("prompt_patterns"), worker.count("unlearnt")) == (0, 1)


def test_what_a_worker_leaves_the_next_one_learns_once(bench):
    worker = bench()
    worker.store(*(weather(n) for n in range(20)))
    assert worker.count("unlearnt") == 20
    worker.start_again()
    worker.run(*(weather(n) for n in range(20, 30)))
    worker.start_again()
    worker.learn()
    assert worker.sums() == [("user", 30, 30, 30)]
    assert (worker.count("pattern_calls"), worker.count("unlearnt")) == (30, 0)


def test_patterns_go_on_after_a_restart_under_the_ids_that_they_had(bench):
    worker = bench()
    worker.run(*(weather(n) for n in range(30)))
    before = worker.rows("SELECT id, calls FROM prompt_patterns")
    worker.start_again()
    worker.run(*(weather(n) for n in range(30, 40)))
    assert worker.rows("SELECT id, calls - 10 FROM prompt_patterns") == before


def test_an_answer_that_is_cut_is_a_failure_of_its_pattern(bench):
    worker = bench()
    worker.run(*(weather(n, answer=cut("It is") if n < 4 else None) for n in range(30)))
    assert worker.sums() == [("user", 30, 30, 26)]
    assert worker.rows("SELECT bad FROM pattern_days WHERE bad <> '{}'") == [({"truncated": 4},)]
    assert {row[1:] for row in worker.signals()} == {("truncated", -1)}


def test_a_correction_in_the_next_turn_takes_a_success_back(bench):
    worker = bench()
    first = weather(3)
    worker.run(*(weather(n) for n in range(30)))
    before = (("user", prompt_of(first)), ("assistant", "answer 3"))
    wrong = asking(31, "No, that's wrong, look again.", *before)
    worker.run(wrong)
    assert worker.signals() == [(id_of(first), "correction", -1)]
    assert worker.sums() == [("user", 30, 30, 29)]


def test_a_correction_after_a_restart_is_told_of_the_call_before_it(bench):
    worker = bench()
    first = weather(3)
    worker.run(*(weather(n) for n in range(30)))
    worker.start_again()
    before = (("user", prompt_of(first)), ("assistant", "answer 3"))
    wrong = asking(31, "No, that's wrong, look again.", *before)
    worker.run(wrong)
    assert worker.signals() == [(id_of(first), "correction", -1)]
    assert worker.sums() == [("user", 30, 30, 29)]


def test_proxies_are_told_how_to_know_the_patterns(bench):
    worker = bench()
    system = {"role": "system", "content": "You read reports of the weather.\nAnswer in one word."}
    worker.run(
        *(
            weather(
                n, hints={"messages": [system, {"role": "user", "content": prompt_of(weather(n))}]}
            )
            for n in range(30)
        )
    )
    with worker.storage.database().connect() as connection:
        tables, problems = Improvements().gather(connection)
    assert problems == []
    known = Recognised.of(tables.patterns["default"])
    ids = {kind: str(id) for kind, id in worker.rows("SELECT kind, id FROM prompt_patterns")}
    assert known.user(prompt_of(weather(77))) == ids["user"]
    assert known.system(system["content"]) == ids["system"]
    assert known.system("Something else that nobody has ever said.") == ""


def test_feedback_about_an_answer_outweighs_what_was_seen_of_it(bench):
    worker = bench()
    calls = [weather(n, answer=cut("It is") if n < 4 else None) for n in range(30)]
    worker.run(*calls)
    for about, verdict in ((calls[0], "good"), (calls[9], "bad")):
        data: dict[str, Any] = {
            "about": about.id.hex(),
            "verdict": verdict,
            "by": "",
            "namespace": "",
        }
        worker.append((Event(about.id[:6] + b"x" * 10, NOON, "feedback", data), b""))
    worker.run()
    assert [row[1:] for row in worker.signals() if row[1] == "feedback"] == [
        ("feedback", 1), ("feedback", -1)
    ]  # fmt: skip
    assert worker.sums() == [("user", 30, 30, 26)]


def test_feedback_by_the_id_of_an_answer_may_come_in_the_same_batch(bench):
    worker = bench()
    worker.learning = Learning(worker.config, worker.home, None, lambda: worker.storage.school)
    worker.intake = Intake(worker.home.spool, worker.storage, learning=worker.learning)
    call = weather(1, answer=chat("Oslo.", id="chatcmpl-77"))
    data: dict[str, Any] = {"about": "chatcmpl-77", "verdict": "bad", "by": "", "namespace": ""}
    worker.append(*call.records(), (Event(b"x" * 16, NOON, "feedback", data), b""))
    worker.store()
    assert worker.signals() == [(id_of(call), "feedback", -1)]


def test_system_prompts_and_tools_are_patterns_with_versions(bench):
    worker = bench()
    rules = (
        "You are the office of a library.\nBe brief.\nNever lend two books at once.\nSay thanks."
    )

    def lending(n: int, system: str) -> Call:
        tools = [{"type": "function", "function": {"name": "lend", "parameters": {}}}]
        said = [{"role": "system", "content": system}, {"role": "user", "content": f"Book {n}?"}]
        return asking(n, "", hints={"messages": said, "tools": tools, "user": f"u{n}"})

    worker.run(*(lending(n, rules) for n in range(4)))
    worker.run(*(lending(n, rules + "\nAsk for the card.") for n in range(4, 8)))
    assert worker.rows("SELECT kind, calls::int FROM prompt_patterns WHERE kind <> 'user' ORDER BY 1") == [
        ("system", 8), ("tools", 8)
    ]  # fmt: skip
    assert worker.rows(
        "SELECT v.number FROM pattern_versions v JOIN prompt_patterns p ON p.id = v.pattern_id "
        "WHERE p.kind = 'system' ORDER BY 1"
    ) == [(1,), (2,)]
    assert worker.rows("SELECT text FROM pattern_versions WHERE number = 2") == [
        (rules + "\nAsk for the card.",)
    ]


def test_nothing_is_mined_where_texts_are_not_kept(bench):
    worker = bench()
    for n in range(30):
        opened, _ = weather(n).opened()
        bare = msgspec.structs.replace(opened, body_kept="skeleton")
        worker.append((bare, b""), weather(n).closed())
    worker.run()
    assert (worker.count("prompt_patterns"), worker.count("unlearnt")) == (0, 0)
    assert worker.count("signals") == 30


def test_a_name_that_a_person_gives_stays(bench):
    worker = bench()
    worker.run(*(weather(n) for n in range(30)))
    [(id,)] = worker.rows("SELECT id FROM prompt_patterns")
    with writing(worker.storage.database()) as connection:
        pattern_changes.rename(connection, 1, id, "rain", "ann")
    worker.start_again()
    worker.run(*(weather(n) for n in range(30, 60)))
    assert worker.rows("SELECT name, calls::int FROM prompt_patterns") == [("rain", 60)]


def test_it_can_be_switched_off(bench):
    worker = bench(patterns=False)
    worker.run(*(weather(n) for n in range(30)))
    assert [worker.count(table) for table in ("prompt_patterns", "signals", "unlearnt")] == [
        0,
        0,
        0,
    ]


def test_a_call_that_cannot_be_looked_at_is_in_nobodys_way(bench, monkeypatch, caplog):
    assign = Miner.assign

    def fails(self: Miner, text: str, at: int) -> str | None:
        if "Danube" in text:
            raise ValueError("a fault of ours")
        return assign(self, text, at=at)

    monkeypatch.setattr(Miner, "assign", fails)
    worker = bench()
    worker.run(asking(90, "Where is the Danube?"), *(weather(n) for n in range(30)))
    assert (worker.count("pattern_calls"), worker.count("unlearnt")) == (30, 0)
    assert "nothing is learnt of a call: ValueError: a fault of ours" in caplog.text
