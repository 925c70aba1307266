"""The screens of what is learnt on the real store."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from llmproxy_core.home import Home
from llmproxy_core.store import enhancement_changes, experiment_changes, transformation_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons, PatternRow
from llmproxy_core.store.transformations import checked
from tests.store import lessons
from tests.tui.stage import until
from tests.tui.test_guard_on_postgres import asked
from tests.tui.test_on_postgres import a_call, on_store

BODY = (
    b'{"model":"claude-opus-4-5","max_tokens":1024,"system":"You triage tickets.",'
    b'"messages":[{"role":"user","content":"Classify this ticket: I cannot log in"}]}'
)
ACTION = "SELECT action FROM audit_events ORDER BY seq DESC LIMIT 1"


def a_ticket() -> tuple[RequestRow, ResponseRow]:
    request, response = a_call("claude-opus-4-5")
    asked = "Classify this ticket: I cannot"
    return replace(request, body=BODY, body_bytes=len(BODY), preview=asked), response


def learnt(request: RequestRow, **changes: Any) -> tuple[PatternRow, Lessons]:
    """A pattern of this call, which failed."""
    now = datetime.now(UTC)
    pattern = lessons.a_pattern(first_seen=now - timedelta(days=2), last_seen=now, **changes)
    said = lessons.a_signal(request, name="truncated", verdict="bad", why="1,024 tokens", at=now)
    day = lessons.a_sum(pattern, day=now.date(), good=0, bad={"truncated": 1}, calls=1)
    call = lessons.of_pattern(request, pattern)
    born = lessons.an_event_of(pattern, why="32 prompts that are alike")
    rows = Lessons(patterns=[pattern], calls=[call], signals=[said], sums=[day], history=[born])
    return pattern, rows


async def test_a_pattern_appears_as_it_is_learnt_and_is_named(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    _, rows = learnt(request)

    async with on_store(database, home) as (stage, write):
        await stage.press("7")
        await stage.sees("No patterns yet.")
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.sees("1 prompt of users", "classify this ticket", "Classify this ticket:  …")
        await stage.sees("0% success, of 1 judged call in", "not: truncated 1")
        await stage.press("r")
        await stage.type("triage")
        await stage.press("enter")
        await stage.sees("triage  classification")
        assert await asked(database, "SELECT name FROM prompt_patterns") == "triage"
        assert await asked(database, ACTION) == "pattern rename"
        await stage.press("enter", "5")
        await stage.sees("renamed", "32 prompts that are alike")
        await stage.press("2")
        await stage.sees("truncated", "Classify this ticket: I cannot")
        await stage.press("enter", "8")
        await stage.sees("triage", "1,024 tokens")


async def test_patterns_are_merged(database: Database, home: Home) -> None:
    request, response = a_ticket()
    pattern, rows = learnt(request)
    other = lessons.a_pattern(name="sort this ticket", last_seen=datetime.now(UTC), calls=1)
    rows.patterns.append(other)

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.press("7")
        await stage.sees("2 prompts of users")
        gone = stage.current().id
        await stage.press("space", "end", "m", "enter")
        await stage.sees("1 prompt of users")
        kept = other.id if gone == pattern.id else pattern.id
        merged = "SELECT merged_into FROM prompt_patterns WHERE merged_into IS NOT NULL"
        assert await asked(database, merged) == kept
        assert await asked(database, ACTION) == "pattern merge"


async def test_the_advisor_is_wanted(database: Database, home: Home) -> None:
    request, response = a_ticket()
    _, rows = learnt(request)

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.press("7")
        await stage.sees("1 prompt of users")
        await stage.press("a", "enter")
        await stage.is_told("The worker will ask it.")
        wanted = "SELECT wanted_at IS NOT NULL FROM prompt_patterns"
        assert await asked(database, wanted) is True


def suggest(database: Database, pattern: UUID) -> None:
    with database.raw() as connection:
        one = replace(lessons.an_enhancement(pattern), wires=())
        enhancement_changes.add(connection, 1, one)


async def test_a_suggestion_is_shown_on_a_call_and_approved_which_starts_its_experiment(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    pattern, rows = learnt(request)

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.press("8")
        await stage.sees("No suggestions yet.")
        await asyncio.to_thread(suggest, database, pattern.id)
        await stage.sees("1 suggestion waits", "Answers are long.")
        await stage.sees("@ /system", '+ "You triage tickets.\\n\\nBe brief."')
        await stage.sees("8 Enhancements  1 ")
        await stage.press("y")
        await stage.sees("none waits", "experiment", "8 Enhancements  9 ")
        assert await asked(database, "SELECT status FROM enhancements") == "experimenting"
        await stage.press("enter")
        await stage.sees("9 Experiments", "1 running", "enhanced  append system")
        await stage.press("o")
        await stage.sees("why?")
        await stage.type("enough")
        await stage.press("enter")
        await stage.sees("stopped by", "enough")
        assert await asked(database, "SELECT status FROM experiments") == "stopped"
        assert await asked(database, "SELECT status FROM enhancements") == "rolled_back"


async def test_a_suggestion_is_rejected_and_thought_about_again(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    pattern, rows = learnt(request)

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await asyncio.to_thread(suggest, database, pattern.id)
        await stage.press("8")
        await stage.sees("1 suggestion waits")
        await stage.press("n")
        await stage.sees("none waits", "rejected by")
        assert await asked(database, ACTION) == "enhancement rejected"
        await stage.press("u")
        await stage.sees("1 suggestion waits")


async def test_conversations_of_an_experiment_are_counted_and_listed(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    pattern, rows = learnt(request)
    one = lessons.an_experiment(pattern.id)
    now = datetime.now(UTC)
    rows.units = [
        lessons.a_unit(
            UUID(one.id), number.to_bytes(16), arm="short" if number % 2 else "control",
            first_request_id=request.id, first_at=now, last_at=now, success=number % 3 > 0,
            judged_at=now + timedelta(seconds=number),
        )
        for number in range(1, 61)
    ]  # fmt: skip

    def draft() -> None:
        with database.raw() as connection:
            experiment_changes.add(connection, 1, one, "mira")

    async with on_store(database, home) as (stage, write):
        await asyncio.to_thread(draft)
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.press("9")
        await stage.sees("draft  brief", "Points of success more, after 60 conversations")
        await stage.press("s", "enter")
        await stage.sees("1 running")
        await stage.press("enter")
        await stage.sees("60 conversations, 0 judged", "short beside control")
        await stage.press("enter")
        await until(lambda: stage.detail.flow_id == request.id)


async def test_a_rule_is_tried_on_stored_calls_and_switched(database: Database, home: Home) -> None:
    request, response = a_ticket()
    pattern, rows = learnt(request)
    table = {
        "name": "short",
        "when": f'pattern.id == "{pattern.id}"',
        "logic": [{"op": "clamp", "parameter": "max_tokens", "max": 100}],
    }

    def add() -> None:
        with database.raw() as connection:
            transformation_changes.add(connection, checked(table), "mira")

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await asyncio.to_thread(add)
        await stage.press("0")
        await stage.sees("1 rule on", "clamp max tokens", "by mira")
        await stage.press("e")
        await stage.sees("@ /max_tokens", "- 1024", "+ 100", "keeps all that providers cache")
        await stage.press("escape", "E")
        await stage.type(request.id.hex[-6:])
        await stage.press("enter")
        await stage.sees("on the call", "+ 100")
        await stage.press("escape", "o")
        await stage.sees("0 rules on")
        assert await asked(database, ACTION) == "transformation off"
        await stage.press("a", "enter")
        await stage.sees("1 rule on")


async def test_rules_are_moved_and_it_is_in_the_audit(database: Database, home: Home) -> None:
    logic = [{"op": "clamp", "parameter": "max_tokens", "max": 100}]

    def add() -> None:
        with database.raw() as connection:
            for name in ("first", "second", "third"):
                table = {"name": name, "when": "true", "logic": logic}
                transformation_changes.add(connection, checked(table), "mira")

    async with on_store(database, home) as (stage, _):
        await asyncio.to_thread(add)
        await stage.press("0")
        await stage.sees("3 rules on")
        await stage.press("end", "K")
        names = "SELECT string_agg(name, ' ' ORDER BY sort_order, name) FROM transformations"
        await until(lambda: [one.name for one in stage.table.rows] == ["first", "third", "second"])
        assert await asked(database, names) == "first third second"
        assert await asked(database, ACTION) == "transformation order"


async def test_what_is_learnt_of_an_open_call_is_shown_as_it_comes(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    _, rows = learnt(request)

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response]))
        await stage.sees("claude-opus-4-5")
        await stage.press("enter", "8")
        await stage.sees("Nothing has been learnt of this call")
        await write(Batch(lessons=rows))
        await stage.sees("classify this ticket", "1,024 tokens")
        late = lessons.a_signal(request, name="correction", verdict="bad", why="no, that is wrong")
        await write(Batch(lessons=Lessons(signals=[late])))
        await stage.sees("no, that is wrong")


async def test_feedback_is_a_signal_and_counts_in_the_sums_of_the_pattern(
    database: Database, home: Home
) -> None:
    request, response = a_ticket()
    _, rows = learnt(request)
    rows.applied = [lessons.a_change(request, "short", kept=0.5)]

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], responses=[response], lessons=rows))
        await stage.sees("claude-opus-4-5")
        await stage.press("enter")
        await stage.sees("pattern classify this ticket", "rule short: done", "truncated")
        await stage.press("8", "plus")
        await stage.is_told("good: thank you")
        await stage.sees("feedback")
        good = "SELECT sum(good)::int FROM pattern_days"
        assert await asked(database, good) == 1
        assert await asked(database, ACTION) == "feedback"
