"""The Experiments screen: what is tried, how sure it is, and what a person does about it."""

import time
from uuid import UUID

import pytest

from llmproxy_core.home import Home
from llmproxy_core.store.experiments import Unit
from llmproxy_core.tui import course
from llmproxy_core.tui.widgets.interval_plot import IntervalPlot
from tests.tui import demo, learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


def status(source: MemorySource, number: int) -> str:
    return source.learning.tests[number].one.status


async def opened(stage: Stage, down: int = 0) -> None:
    await stage.press("9")
    await stage.sees("1 running, 1 won and waits")
    await stage.press(*["down"] * down)


async def test_experiments_are_listed_with_the_rates_of_their_arms(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.sees("json-first", "76.0%", "73.6%", "-2.4", "shorter-answers", "+9.6")


async def test_the_arms_the_interval_and_the_verdict_so_far_are_told(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.sees("so far: 'enhanced' succeeded in 73.6 % of 303 conversations")
        await stage.sees("267/283", "303/317", "-2.4 points (-13.0 to ", "at all times)")
        await stage.sees("guards  cost ")


async def test_the_interval_is_plotted_and_grows_with_what_comes(
    source: MemorySource, home: Home
) -> None:
    learning, units = source.learning, learning_demo.conversations(1, 600, 0.70, 0.76)
    one = learning.tests[0].one
    learning.conversations[learning_demo.RUNNING] = units[:200]
    learning.tests[0] = learning_demo.stored(one, units[:200])
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.sees("Points of success more, after 200 conversations")
        learning.conversations[learning_demo.RUNNING] = units
        learning.tests[0] = learning_demo.stored(one, units)
        learning.news()
        await stage.sees("Points of success more, after 570 conversations")


async def test_news_that_comes_while_it_is_read_is_read_afterwards(
    source: MemorySource, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow store, and news all the time: nothing that is read may be thrown away for ever."""
    learning, units = source.learning, learning_demo.conversations(1, 600, 0.70, 0.76)
    one, judged, asked = learning.tests[0].one, learning.judged, []

    def slowly(ns_id: int, experiment: UUID) -> list[Unit]:
        asked.append(experiment)
        time.sleep(0.3)
        return judged(ns_id, experiment)

    monkeypatch.setattr(learning, "judged", slowly)
    async with on_stage(source, home, size=(180, 40)) as stage:
        await stage.press("9")
        for known in range(200, 240):
            learning.conversations[learning_demo.RUNNING] = units[:known]
            learning.tests[0] = learning_demo.stored(one, units[:known])
            learning.news()
            await stage.pilot.pause(0.05)
        await stage.sees("Points of success more, after")
        await stage.sees("Points of success more, after 239 conversations")
        assert len(asked) < 20


async def test_what_is_left_is_told_of_one_that_runs(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.sees("more conversations to be sure of +5.0 points", "in all at most")
        await stage.press("down")
        await stage.sees("p promotes the winner")
        assert "to be sure of" not in stage.text()


async def test_what_is_plotted_narrows(source: MemorySource) -> None:
    units = source.learning.conversations[learning_demo.WON]
    one = source.learning.tests[1].one

    found = course.points(units, one, "enhanced", 50)

    assert len(found) <= 50
    assert found[-1].judged == 1_900
    assert found[-1].high - found[-1].low < found[len(found) // 4].high - found[len(found) // 4].low
    assert found[-1].low > 0, "it has won"


async def test_of_an_experiment_without_outcomes_nothing_is_plotted(
    source: MemorySource, home: Home
) -> None:
    assert course.points([], source.learning.tests[2].one, "enhanced", 50) == []
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage, down=2)
        await stage.sees("draft  polite-tone", "Nothing to plot yet", "s starts it")


async def test_a_draft_starts_once_that_is_confirmed(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage, down=2)
        await stage.press("s")
        await stage.sees("Start polite-tone?")
        await stage.press("enter")
        await until(lambda: status(source, 2) == "running")
        await stage.sees("2 running")


async def test_one_that_runs_is_stopped_with_a_reason(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.press("o")
        await stage.sees("Stop json-first: why?")
        await stage.type("too slow")
        await stage.press("enter")
        await until(lambda: status(source, 0) == "stopped")
        await stage.sees("stopped by mira", "too slow")


async def test_what_has_won_is_promoted_and_rolled_back(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage, down=1)
        await stage.press("p")
        await stage.sees("Promote shorter-answers: why?")
        await stage.press("enter")
        await until(lambda: status(source, 1) == "promoted")
        await stage.sees("promoted by mira", "promoted by hand")
        await stage.press("b")
        await stage.sees("Roll back shorter-answers: why?")
        await stage.press("enter")
        await until(lambda: status(source, 1) == "rolled_back")


async def test_what_has_not_won_cannot_be_promoted(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.press("p", "enter")
        await stage.is_told("is running: it can become")
        assert status(source, 0) == "running"


async def test_esc_changes_nothing(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(180, 40)) as stage:
        await opened(stage)
        await stage.press("o")
        await stage.sees("Stop json-first: why?")
        await stage.press("escape")
        await stage.sees("1 running")
        assert status(source, 0) == "running"


async def test_its_conversations_are_listed_under_a_larger_plot_and_open(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("enter")
        await stage.sees("600 conversations, 570 judged", "not yet", "enhanced beside control")
        assert stage.app.screen.query_one(IntervalPlot).size.width == 140
        await stage.press("enter")
        await until(lambda: stage.detail.flow_id == demo.flows()[3].id)
        await stage.sees("json-first: arm enhanced")


async def test_where_there_is_little_room_the_plot_is_on_its_own_screen_only(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(80, 24)) as stage:
        await opened(stage)
        await stage.sees("control")
        assert not stage.app.screen.query_one(IntervalPlot).display
        await stage.press("enter")
        await stage.sees("Points of success more")


def test_the_plot_reaches_as_far_as_its_later_part() -> None:
    points = [course.Point(n, 0.0, -1.0 / n, 1.0 / n) for n in range(1, 31)]

    assert course.reach(points) == pytest.approx(1.1 / 11)
    assert course.reach([]) == 1.0
