"""Suggestions for patterns: from what is stored alone, and from the advisor where that is wanted."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llmproxy_core.advisor.line import VARIABLE
from llmproxy_core.config import AdvisorConfig, LearningConfig
from llmproxy_core.store import pattern_changes
from llmproxy_core.store.changing import writing
from llmproxy_core.worker.counsel import Counsel
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.learning import Learning
from llmproxy_core.worker.studying import Studying
from tests.unit.advisor.openrouter import OpenRouter, said
from tests.worker.processes import wait_for
from tests.worker.school_bench import Bench, cut, weather

CHANGE = {
    "changes": [
        {
            "type": "clarification",
            "operations": [{"op": "append_system", "text": "Answer in one word."}],
            "confidence": 0.9,
            "reasoning": "Answers are cut because they are long.",
        }
    ]
}


@pytest.fixture
def server(monkeypatch) -> Iterator[OpenRouter]:
    """In a thread with a loop of its own, as it is another machine's."""
    monkeypatch.setenv(VARIABLE, "sk-or-v1-0")
    made = OpenRouter()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(60)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def make(config, home, storage, journal) -> Iterator[Any]:
    counsels = []

    def made(advisor: AdvisorConfig | None = None, **learning: Any) -> tuple[Bench, Studying]:
        update: dict[str, Any] = {"learning": LearningConfig(**learning)}
        own = config.model_copy(update=update | ({"advisor": advisor} if advisor else {}))
        counsel = Counsel(own, home)
        counsels.append(counsel)
        mine = Learning(own, home, counsel)
        intake = Intake(home.spool, storage, learning=mine)
        return Bench(own, home, storage, journal, mine, intake), Studying(own, counsel)

    yield made
    for counsel in counsels:
        counsel.close()


def advisor(server: OpenRouter) -> AdvisorConfig:
    return AdvisorConfig(enabled=True, base_url=server.url, max_output_tokens=4096)


def failing(bench: Bench, calls: int = 60, every: int = 2) -> None:
    """Traffic of one pattern of which each second answer is cut at `max_tokens`."""
    bench.run(
        *(
            weather(
                n,
                answer=cut("The town with more rain is", 16) if n % every == 0 else None,
                hints={"messages": weather(n).hints["messages"], "max_tokens": 16},
            )
            for n in range(calls)
        )
    )


def suggested(bench: Bench) -> list[Any]:
    return bench.rows("SELECT source_engine, status FROM enhancements ORDER BY 1")


def until(bench: Bench, studying: Studying, rows: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        studying.round(bench.storage.database())
        if len(suggested(bench)) >= rows:
            return
        time.sleep(0.05)
    pytest.fail(f"suggested: {suggested(bench)}")


def test_limits_that_cut_answers_are_suggested_to_be_raised(make):
    bench, studying = make()
    failing(bench)
    studying.round(bench.storage.database())
    assert suggested(bench) == [("built-in:truncation", "candidate")]
    [(edit, evidence)] = bench.rows("SELECT edit, evidence FROM enhancements")
    assert edit[0]["parameter"] == "max_tokens"
    assert (evidence["calls"], evidence["truncated"]) == (60, 30)


def test_a_pattern_is_looked_at_again_when_there_is_much_more_of_it(make):
    bench, studying = make()
    failing(bench, 20, every=50)
    assert studying._suggesting.round(bench.storage.database())
    assert not studying._suggesting.round(bench.storage.database())
    failing(bench)
    assert studying._suggesting.round(bench.storage.database())


def test_nothing_is_suggested_where_that_is_switched_off(make):
    bench, studying = make(suggest="off")
    failing(bench)
    studying.round(bench.storage.database())
    assert suggested(bench) == []


def test_with_auto_experiment_it_is_tried_at_once(make):
    bench, studying = make(auto_experiment=True)
    failing(bench)
    studying.round(bench.storage.database())
    studying.round(bench.storage.database())
    assert suggested(bench) == [("built-in:truncation", "experimenting")]
    assert bench.rows("SELECT status FROM experiments") == [("running",)]


def test_the_advisor_is_asked_once_about_what_fails(make, server):
    server.answers = [said(json.dumps(CHANGE))]
    bench, studying = make(advisor(server), suggest="advisor")
    failing(bench)
    until(bench, studying, 2)
    assert suggested(bench) == [
        ("advisor:anthropic/claude-sonnet-4.5", "candidate"),
        ("built-in:truncation", "candidate"),
    ]
    assert bench.rows("SELECT said FROM advised") == [("1 suggestion",)]
    assert len(server.asked) == 1


def test_it_is_not_asked_unless_that_is_wanted(make, server):
    bench, studying = make(advisor(server))
    failing(bench)
    for _ in range(3):
        studying.round(bench.storage.database())
    assert server.asked == []


def test_a_person_may_want_it_to_be_asked(make, server):
    server.answers = [said(json.dumps(CHANGE))]
    bench, studying = make(advisor(server))
    failing(bench)
    [(pattern,)] = bench.rows("SELECT id FROM prompt_patterns")
    with writing(bench.storage.database()) as connection:
        pattern_changes.want_advice(connection, 1, pattern, "ann")
    until(bench, studying, 2)
    assert len(server.asked) == 1


def test_what_came_of_a_wish_is_told_where_nobody_can_be_asked(make):
    bench, studying = make()
    failing(bench)
    [(pattern,)] = bench.rows("SELECT id FROM prompt_patterns")
    with writing(bench.storage.database()) as connection:
        pattern_changes.want_advice(connection, 1, pattern, "ann")
    studying.round(bench.storage.database())
    [(told,)] = bench.rows("SELECT said FROM advised")
    assert "advisor.enabled" in told
    assert bench.rows("SELECT wanted_at FROM prompt_patterns") == [(None,)]


def test_a_sample_of_the_answers_is_graded(make, server):
    grade = {"success": False, "confidence": 0.8, "reason": "It names no town."}
    server.answers = [said(json.dumps(grade))] * 40
    bench, _ = make(advisor(server), advisor_sample=1.0)
    bench.run(*(weather(n) for n in range(12)))

    def graded() -> bool:
        bench.learn()
        return len(bench.signals()) == 12

    wait_for(graded, "not all are graded")
    assert {row[1:] for row in bench.signals()} == {("judgement", -1)}
    assert bench.sums() == [("user", 12, 12, 0)]


TOLD = """\
Customer: Anna Moreau, anna.moreau@lyon-mail.example.org, +33 6 12 34 56 78.
Paid by 4539 1488 0343 6467 from DE89 3704 0044 0532 0130 00.
export GITHUB_TOKEN=ghp_a8Kd03LmQz71XvB5nRt29YcWj6HsEf4GuP0o
"""
PRIVATE = (
    "anna.moreau@lyon-mail.example.org",
    "6 12 34 56 78",
    "4539 1488 0343 6467",
    "DE89 3704 0044 0532 0130 00",
    "ghp_a8Kd03LmQz71XvB5nRt29YcWj6HsEf4GuP0o",
)


def test_the_advisor_is_shown_neither_credentials_nor_what_is_private(make, server, home):
    """In prompts, in answers, in system prompts, and in the template of the pattern."""
    server.answers = [said(json.dumps(CHANGE))]
    bench, studying = make(advisor(server), suggest="advisor")
    calls = []
    for n in range(60):
        messages = [
            {"role": "system", "content": f"You are a desk.\n{TOLD}"},
            {"role": "user", "content": f"{TOLD}{weather(n).hints['messages'][0]['content']}"},
        ]
        answer = cut(f"Yes, {TOLD}", 16) if n % 2 == 0 else None
        calls.append(weather(n, answer=answer, hints={"messages": messages, "max_tokens": 16}))
    bench.run(*calls)
    until(bench, studying, 2)

    (asked,) = server.asked
    assert "Paid by [pii:card:fp_" in asked.texts[1]
    kept = b"".join(file.read_bytes() for file in home.advisor.rglob("*") if file.is_file())
    for value in (*map(str.encode, PRIVATE), b"sk-or-v1-0"):
        assert value not in asked.raw
        assert value not in kept
