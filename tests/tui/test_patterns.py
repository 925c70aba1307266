"""The Patterns screen: what is asked again and again, and how well it goes."""

from dataclasses import replace

import pytest

from llmproxy_core.home import Home
from llmproxy_core.tui.screens.pattern import PatternScreen
from tests.tui import demo, learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


async def opened(stage: Stage) -> None:
    await stage.press("7")
    await stage.sees("5 prompts of users", "Classify this ticket")


async def test_patterns_are_listed_with_their_trend_and_success(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.sees("1,204", "71.2%", "69-74 %", "classification", "$0.5057")
        line = next(line for line in stage.lines() if "1,204" in line)
        assert any(block in line for block in "▁▂▃▄▅▆▇█")


async def test_the_template_of_the_pattern_under_the_cursor_is_shown_with_its_slots(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.sees("Classify this ticket of  …  into billing, account or bug")
        await stage.sees("gpt-5.1-mini", "67.0%", "not: format 214, truncated 92")
        await stage.sees("near to it: Classify this review", "1 suggestion waits: 8")
        await stage.press("down")
        await stage.sees("96.6% success, of 581 judged calls", "summarization")
        assert "named by its words" not in stage.text(), "a person named it"


async def test_a_type_that_is_not_sure_is_told_with_a_question_mark(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("down", "down")
        await stage.sees("agent step?")


async def test_system_prompts_and_tools_are_a_key_away(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("s")
        await stage.sees("1 system prompt", "v3, first seen", "since then refusal +4")
        await stage.press("s")
        await stage.sees("1 set of tools", "Bash, Edit, Read")
        await stage.press("s")
        await stage.sees("5 prompts of users")


async def test_a_pattern_is_named_by_a_person(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("r")
        await stage.sees("A name for Classify this ticket")
        await stage.type("triage")
        await stage.press("enter")
        await until(lambda: source.learning.lines[0].name == "triage")
        await stage.sees("triage  classification")


async def test_the_advisor_is_asked_once_that_is_confirmed(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("a")
        await stage.sees("Ask the advisor about Classify this ticket?", "OpenRouter")
        await stage.press("escape", "a", "enter")
        await until(lambda: source.learning.wanted == [learning_demo.TRIAGE])


async def test_marked_patterns_become_part_of_another_once_that_is_confirmed(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("m")
        await stage.is_told("Mark others with Space first")
        await stage.press("down", "space", "space")
        await stage.sees("▌Summarise these minutes", "▌Now run the tests")
        await stage.press("up", "space", "home", "m")
        await stage.sees("Merge Summarise these minutes in five bullet … into Classify this")
        await stage.press("escape")
        assert source.learning.merged == []
        await stage.press("m", "enter")
        await until(
            lambda: source.learning.merged == [(learning_demo.SUMMARY, learning_demo.TRIAGE)]
        )
        await stage.sees("4 prompts of users")
        assert "▌" not in stage.text()


async def test_the_calls_of_a_pattern_say_how_they_went_and_open(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("enter")
        await until(lambda: isinstance(stage.app.screen, PatternScreen))
        await stage.press("2")
        await stage.sees("asked again, format", "I cannot log in", "v3")
        await stage.press("enter")
        await until(lambda: stage.detail.flow_id == demo.flows()[3].id)


async def test_the_numbers_and_the_history_of_a_pattern_have_tabs(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("enter", "3")
        await stage.sees("Sat Mar 14", "125", "61-77 %")
        await stage.press("5")
        await stage.sees("merged Classify this complaint", "their words are the same")


async def test_the_wordings_of_a_system_prompt_are_shown_as_differences(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("s")
        await stage.sees("1 system prompt")
        await stage.press("enter", "4")
        await stage.sees(
            "v3", "-You triage support tickets.", "+You triage support tickets of shops."
        )
        await stage.sees("+Never guess.", "204 calls", "v1")


async def test_an_open_pattern_goes_on_with_what_is_learnt(
    source: MemorySource, home: Home
) -> None:
    learning = source.learning
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("enter", "3")
        await stage.sees("71.2% success")
        known = learning.abouts[learning_demo.TRIAGE]
        total = replace(known.total, good=known.total.judged)
        learning.abouts[learning_demo.TRIAGE] = replace(known, total=total)
        learning.news()
        await stage.sees("100% success")


async def test_without_patterns_it_is_told_how_they_come(home: Home) -> None:
    async with on_stage(MemorySource(), home, size=(140, 30)) as stage:
        await stage.press("7")
        await stage.sees("No patterns yet.", "llmproxy patterns mine")
        await stage.press("s")
        await stage.sees("No system prompts yet.")


async def test_while_the_database_is_away_it_says_so(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        source.up = False
        await stage.press("7")
        await stage.sees("not up yet, retrying")
