"""What all screens that are lists can do: filter, sort, choose columns, keep their place."""

import pytest

from llmproxy_core.home import Home
from llmproxy_core.tui.widgets.words_pane import ToldPane
from tests.tui import demo, learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until

TRIAGE, SUMMARY, FIX, TITLE, GERMAN = (
    "Classify this ticket",
    "Summarise these minutes in five bullet points",
    "Now run the tests and fix what fails",
    "Write a title for this conversation",
    "Translate into German",
)


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


async def opened(stage: Stage) -> None:
    await stage.press("7")
    await stage.sees("5 prompts of users", TRIAGE)


def names(stage: Stage) -> list[str]:
    return [one.name for one in stage.table.rows]


async def test_words_leave_only_the_lines_that_have_them(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("slash")
        await stage.type("THIS -ticket")
        await stage.press("enter")
        await until(lambda: names(stage) == [TITLE])
        await stage.sees("1 of 5 prompts of users")
        await stage.press("escape")
        await until(lambda: len(names(stage)) == 5)


async def test_where_no_line_has_them_it_is_told(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("slash")
        await stage.type("nowhere")
        await stage.sees("Nothing in this list matches the filter", "0 of 5 prompts of users")


async def test_lines_are_sorted_by_a_column_and_turned_around(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("greater_than_sign")
        await until(lambda: names(stage) == [TRIAGE, FIX, SUMMARY, GERMAN, TITLE])
        await stage.sees("Pattern▲")
        await stage.is_told("Sorted by Pattern, rising")
        await stage.press("I")
        await until(lambda: names(stage) == [TITLE, GERMAN, SUMMARY, FIX, TRIAGE])
        await stage.sees("Pattern▼")
        await stage.press("less_than_sign")
        await until(lambda: names(stage) == [TRIAGE, SUMMARY, FIX, TITLE, GERMAN])


async def test_what_is_not_known_comes_last_however_it_is_sorted(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press(*["greater_than_sign"] * 4)
        await until(lambda: names(stage) == [TITLE, SUMMARY, FIX, TRIAGE, GERMAN])
        await stage.press("I")
        await until(lambda: names(stage) == [TRIAGE, FIX, SUMMARY, TITLE, GERMAN])


async def test_the_cursor_stays_on_its_row_as_the_list_is_sorted_and_read_anew(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("down")
        assert stage.current().name == SUMMARY
        await stage.press("greater_than_sign")
        await until(lambda: stage.table.cursor == 2)
        assert stage.current().name == SUMMARY
        source.learning.lines.append(learning_demo.line(demo.uuid(890), "Add a test", 9, 1.0))
        source.learning.news()
        await stage.sees("6 prompts of users")
        assert stage.current().name == SUMMARY


async def test_columns_are_chosen(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        assert "Trend" in stage.lines()[1]
        await stage.press("c")
        await stage.sees("Space: show or hide")
        await stage.press("down", "down", "space", "enter")
        await until(lambda: "Trend" not in stage.lines()[1])
        assert "Success" in stage.lines()[1]
        await stage.press("c", "space", "escape")
        await until(lambda: "Type" in stage.lines()[1])


async def test_a_list_comes_back_with_the_database(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        source.up = False
        source.learning.news()
        await stage.sees("not up yet, retrying", TRIAGE)
        source.up = True
        await stage.sees("5 prompts of users")


async def test_an_empty_list_has_the_whole_screen_for_its_advice(home: Home) -> None:
    async with on_stage(MemorySource(), home, size=(80, 24)) as stage:
        await stage.press("0")
        await stage.sees("No rules yet.", "or a table [[transformations]] in mitm.toml.")
        assert not stage.app.screen.query_one(ToldPane).display


@pytest.mark.parametrize("key", ["5", "7", "8", "9", "0"])
async def test_footers_have_room_in_80_columns(source: MemorySource, home: Home, key: str) -> None:
    async with on_stage(source, home, size=(80, 24)) as stage:
        await stage.press(key)
        await stage.sees("Filter")
        assert stage.lines()[-1].endswith("q Quit")


async def test_odd_names_and_a_narrow_terminal_are_harmless(
    source: MemorySource, home: Home
) -> None:
    odd = "\x1b[31mred\x07 \u202eevil \u5168\u89d2\u6587\u5b57 \u0634\u0643\u0631\u0627 \U0001f468\u200d\U0001f469\u200d\U0001f467"
    source.learning.lines = [learning_demo.line(learning_demo.TRIAGE, odd, 9, 1.0)]
    async with on_stage(source, home, size=(60, 20)) as stage:
        await stage.press("7")
        await stage.sees("red evil")
        assert not any(sign in stage.text() for sign in ("\x1b", "\x07", "\u202e", "\u200d"))
        for key in ("8", "9", "0", "5", "7"):
            await stage.press(key)
            await stage.pilot.pause()
        await stage.sees("red evil")
