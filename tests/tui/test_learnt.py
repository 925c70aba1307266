"""What the detail of a call says of what is learnt, and what a person says of its answer."""

import pytest

from llmproxy_core.home import Home
from tests.tui import demo, learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until

CALL = demo.flows()[2].id


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


async def opened(stage: Stage) -> None:
    await stage.press("down", "down", "enter")
    await until(lambda: stage.detail.flow_id == CALL)


async def test_the_head_of_a_call_tells_its_pattern_and_what_was_changed(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.sees("pattern Classify this ticket", "rule brief-triage: done")
        await stage.sees("experiment json-first: arm enhanced", "(8)")


async def test_a_tab_tells_all_that_is_learnt(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("8")
        await stage.sees("Patterns", "You triage support tickets v3")
        await stage.sees("rule no-web: left alone: signed", "keeps 62.0% of what is cached")
        await stage.sees("/urgency is missing", "80% sure", "told by call")


async def test_signals_are_shown_as_they_come(source: MemorySource, home: Home) -> None:
    learning = source.learning
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("8")
        await stage.sees("How it went")
        assert "later on" not in stage.text()
        learning.feedback(CALL, "bad", "later on")
        learning.news()
        await stage.sees("later on")


async def test_a_good_answer_is_a_key(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("8", "plus")
        await until(lambda: source.learning.known[CALL].signals[-1].name == "feedback")
        assert source.learning.known[CALL].signals[-1].verdict == "good"
        await stage.sees("● feedback", "a person calls it good")


async def test_of_a_bad_answer_it_is_asked_why(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("minus")
        await stage.sees("A bad answer: why?")
        await stage.type("wrong city")
        await stage.press("enter")
        await until(lambda: source.learning.known[CALL].signals[-1].why == "wrong city")
        await stage.press("8")
        await stage.sees("wrong city")


async def test_esc_takes_a_bad_answer_back(source: MemorySource, home: Home) -> None:
    known = list(source.learning.known[CALL].signals)
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("minus", "escape")
        await stage.sees("assistant")
        assert list(source.learning.known[CALL].signals) == known


async def test_of_a_call_that_nothing_is_known_of_the_tab_says_so(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await stage.press("enter", "8")
        await stage.sees("Nothing has been learnt of this call (yet)", "+ good, - bad")
