"""The Enhancements screen: what is suggested, and what a person says of it."""

from dataclasses import replace

import pytest

from llmproxy_core.home import Home
from llmproxy_core.transformations.diff import Change
from tests.tui import learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


def statuses(source: MemorySource) -> list[str]:
    return [one.one.status for one in source.learning.suggested]


async def opened(stage: Stage) -> None:
    await stage.press("8")
    await stage.sees("1 suggestion waits", "On its newest call")


async def test_a_suggestion_is_shown_with_its_reason_its_edit_and_the_difference(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.sees("214 of 1,144 answers are no JSON", "advisor:anthropic/claude-sonnet-4.5")
        await stage.sees("append_system", "Answer with one JSON object and nothing else:")
        await stage.sees("@ /messages/0/content", '- "You triage support tickets."')
        await stage.sees("keeps 62.0% of what providers cache")


async def test_one_key_approves(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("y")
        await until(lambda: statuses(source)[0] == "approved")
        await stage.sees("none waits", "approved by mira")


async def test_one_key_rejects_and_another_takes_it_back(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("n")
        await until(lambda: statuses(source)[0] == "rejected")
        await stage.sees("none waits", "rejected by mira")
        await stage.press("u")
        await until(lambda: statuses(source)[0] == "candidate")
        await stage.sees("1 suggestion waits")


async def test_a_reason_goes_with_a_rejection(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("N")
        await stage.sees("Rejected: why?")
        await stage.type("too long")
        await stage.press("enter")
        await until(lambda: source.learning.suggested[0].one.history[-1].why == "too long")


async def test_what_may_not_be_is_told(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("down", "y")
        await stage.is_told("it is experimenting; approve is not possible")
        assert statuses(source)[1] == "experimenting"


async def test_without_a_stored_call_the_edit_is_shown_all_the_same(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("down")
        await stage.sees('cache_breakpoint: at = "system"', "No call of this pattern is kept")
        await stage.sees("only for anthropic.messages", "saves about $3.42 a day")


async def test_a_long_difference_is_cut_in_the_pane_and_whole_on_a_key(
    source: MemorySource, home: Home
) -> None:
    long = Change("/system", None, "begin " + "x" * 900 + " end")
    tried = replace(learning_demo.tried(), changes=[long])
    source.learning.tried = {learning_demo.CLARIFY: tried}
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.sees("+ begin", "⋯ 512 characters ⋯", "xxx end")
        await stage.press("e")
        await stage.sees("what is suggested, in full", "+ begin", "xxx end")
        assert "characters" not in stage.text()


async def test_its_experiment_is_a_key_away(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("enter")
        await stage.is_told("It has no experiment yet.")
        await stage.press("end", "enter")
        await stage.sees("9 Experiments", "rolled back  no-examples")


async def test_every_screen_tells_how_many_wait(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await stage.sees("8 Enh.  1 ")
        await stage.press("8", "n")
        await until(lambda: statuses(source)[0] == "rejected")
        await stage.is_told("(u takes it back)")
        await stage.press("7")
        await until(lambda: not stage.app.badges)


async def test_suggestions_are_heard_of_as_they_come(source: MemorySource, home: Home) -> None:
    suggested = source.learning.suggested
    source.learning.suggested = []
    async with on_stage(source, home, size=(140, 40)) as stage:
        await stage.press("8")
        await stage.sees("No suggestions yet.")
        source.learning.suggested = suggested
        source.learning.news()
        await stage.sees("1 suggestion waits")
