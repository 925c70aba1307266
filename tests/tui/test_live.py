"""The live table, as a person uses it."""

import threading
from decimal import Decimal

from textual.widgets import Input

from llmproxy_core.home import Home
from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import flow_list
from tests.tui import demo, guard_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import on_stage, until


async def test_a_call_is_in_the_table_as_soon_as_it_starts(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        source.put(demo.flow(500, state="open", model="o9-preview", preview="hi"))
        await stage.sees("o9-preview")
        assert "o9-preview" in stage.lines()[2]


async def test_a_call_that_ends_changes_its_line(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        source.put(demo.flow(500, state="open", model="o9-preview"))
        await stage.sees("o9-preview")
        source.put(demo.flow(500, model="o9-preview", cost_usd=Decimal("7.77"), output_tokens=4321))
        await stage.sees("$7.77", "4321")
        assert len(stage.live.list) == len(demo.flows()) + 1


async def test_the_cursor_keeps_its_call_while_others_arrive(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("down", "down", "down")
        chosen = stage.table.current
        source.put(*(demo.flow(n) for n in range(500, 530)))
        await until(lambda: len(stage.live.list) == len(demo.flows()) + 30)
        assert stage.table.current == chosen
        assert stage.table.cursor == 33
        assert stage.table.cursor in stage.table.rows_on_screen()


async def test_the_view_keeps_its_place_when_it_was_scrolled_by_the_wheel(
    source: MemorySource, home: Home
) -> None:
    source.put(*(demo.flow(n, age=200 + n) for n in range(200, 300)))
    async with on_stage(source, home) as stage:
        stage.table.scroll_to(y=40, animate=False)
        await stage.pilot.pause()
        before = [line[:110] for line in stage.lines()[3:28]]
        source.put(*(demo.flow(n) for n in range(500, 520)))
        await until(lambda: len(stage.live.list) == len(demo.flows()) + 120)
        await stage.pilot.pause()
        assert [line[:110] for line in stage.lines()[3:28]] == before


async def test_following_stays_on_the_newest_call(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        source.put(demo.flow(500, model="the-newest"))
        await stage.sees("the-newest")
        assert stage.current().model == "the-newest"
        await stage.press("down")
        assert "following" not in stage.text()
        source.put(demo.flow(501, model="newer-still"))
        await stage.sees("newer-still")
        assert stage.table.cursor == 2
        await stage.press("f")
        await stage.sees("following")
        assert stage.current().model == "newer-still"


async def test_a_pause_holds_everything_back_and_counts_it(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("p")
        source.put(*(demo.flow(n, model="held-back") for n in range(500, 512)))
        await stage.sees("paused, 12 new")
        assert "held-back" not in stage.text()
        await stage.press("p")
        await stage.sees("held-back")


async def test_a_filter_applies_to_what_is_there_and_to_what_comes(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("slash")
        await stage.type("model:opus")
        await until(lambda: len(stage.live.list) == 3)
        source.put(demo.flow(500, model="claude-opus-9"), demo.flow(501, model="gpt-0"))
        await stage.sees("claude-opus-9")
        assert "gpt-0" not in stage.text()
        await stage.press("enter")
        assert stage.table.has_focus
        await stage.press("escape")
        await stage.sees("gpt-0")


async def test_ctrl_f_looks_for_words_in_all_that_was_said(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("ctrl+f")
        await stage.sees("Filter  text:")
        await stage.type("races")
        await until(lambda: {flow.model for flow in stage.live.list.flows} == {"gpt-5.1-codex"})
        await stage.press("enter", "ctrl+f")
        assert stage.live.filter_text == "text:races"


async def test_l_shows_only_the_calls_of_a_session(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("down", "l")
        session = demo.flows()[0].session_id
        await until(lambda: {flow.session_id for flow in stage.live.list.flows} == {session})


async def test_the_conversation_stands_beside_the_calls_on_wide_terminals(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(200, 40)) as stage:
        assert "clock is read twice" not in stage.text()
        await stage.press("v", "down", "down")
        await stage.sees("Three tests fail for one reason: the clock is read twice")
        await stage.press("v")
        await until(lambda: "clock is read twice" not in stage.text())


async def test_a_narrow_terminal_says_why_there_is_no_side_pane(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("v")
        told = [notice.message for notice in stage.app._notifications]
        assert told == ["The side pane needs 160 columns."]


async def test_a_wrong_filter_is_told_while_one_types(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("slash")
        # at once: on a slow machine the first letters alone would be a filter, and apply
        stage.live.query_one(Input).value = "status:abc"
        await stage.sees("status:abc:")
        assert len(stage.live.list) == len(demo.flows())
        await stage.press("escape")
        await until(lambda: stage.table.has_focus)
        assert "status:abc" not in stage.text()


async def test_a_filter_without_matches_says_so(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("slash")
        await stage.type("nothinglikeit")
        await stage.sees("No call matches this filter")


async def test_a_call_that_no_longer_matches_goes_away(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("slash")
        await stage.type("state:open")
        await until(lambda: len(stage.live.list) == 2)
        running = stage.live.list.flows[0]
        source.put(demo.flow(100, age=4.2, id=running.id))
        await until(lambda: len(stage.live.list) == 1)


async def test_errors_are_red_and_say_why(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(220, 30)) as stage:
        await stage.sees("429", "Rate limit reached for gpt-5.1-mini")
        bad = stage.table.tones["bad"].color
        index = next(i for i, f in enumerate(stage.live.list.flows) if f.status == 429)
        colours = {s.text.strip(): s.style.color for s in stage.table.render_line(index) if s.style}
        assert colours["429"] == bad


async def test_a_growing_answer_shows_how_long_it_is(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        running = demo.flow(500, state="open")
        source.put(running)
        source.stream(running.id, demo.delta(running, 0, "x" * 4000))
        await stage.sees("~1000")
        source.stream(running.id, demo.delta(running, 1, "x" * 800))
        await stage.sees("~1200")


async def test_older_pages_are_loaded_on_the_way_down(home: Home) -> None:
    source = MemorySource()
    source.kept = {f.id: f for f in (demo.flow(n, age=n) for n in range(450))}
    async with on_stage(source, home) as stage:
        assert len(stage.live.list) == 200
        await stage.press("end")
        await until(lambda: len(stage.live.list) > 200)
        await stage.press("end")
        await until(lambda: len(stage.live.list) == 450)
        await stage.press("end")
        assert stage.current().id == min(source.kept, key=lambda id: id.int)
        assert "450 calls" in stage.text()


async def test_what_happened_while_the_database_was_away_is_read_when_it_is_back(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        source.up = False
        await stage.sees("database not up yet, retrying")
        assert "gpt-5.1-codex" in stage.text()
        source.kept |= {f.id: f for f in [demo.flow(500, model="meanwhile")]}
        source.up = True
        await stage.sees("meanwhile", "● database")


def flows_of_ages(start: int, end: int) -> list[Flow]:
    return [demo.flow(age, age=age) for age in range(start, end)]


async def test_calls_too_many_to_tell_leave_no_hole_though_others_are_told(home: Home) -> None:
    source = MemorySource()
    source.put(*flows_of_ages(300, 350))
    async with on_stage(source, home) as stage:
        shown = stage.live.list
        source.overflow(*(new := flows_of_ages(0, 300)))
        await until(lambda: new[0].id in shown and not shown.has_missed)
        assert shown.flows == new[:200]
        await stage.press("end")
        await stage.sees("350 calls")


async def test_calls_too_many_to_tell_while_paused_leave_no_hole_either(home: Home) -> None:
    source = MemorySource()
    source.put(*flows_of_ages(300, 350))
    async with on_stage(source, home) as stage:
        shown = stage.live.list
        await stage.press("p")
        source.overflow(*(new := flows_of_ages(0, 300)))
        await stage.sees("paused, 200 new")
        await stage.press("p")
        await until(lambda: not shown.has_missed)
        assert shown.flows == new[:200]


async def test_a_database_that_is_away_from_the_start_is_waited_for(
    source: MemorySource, home: Home
) -> None:
    source.up = False
    async with on_stage(source, home) as stage:
        await stage.sees("The database is not up yet, retrying", "does not answer")
        source.up = True
        await stage.sees("gpt-5.1-codex")


async def test_a_newcomer_is_told_what_to_do(home: Home) -> None:
    async with on_stage(MemorySource(), home, size=(80, 24)) as stage:
        await stage.sees("No calls yet", "llmproxy run -- python agent.py", "llmproxy cert")


async def test_the_advice_goes_when_the_first_call_comes(home: Home) -> None:
    source = MemorySource()
    async with on_stage(source, home) as stage:
        await stage.sees("No calls yet")
        source.put(demo.flow(1, model="first-call"))
        await stage.sees("first-call")
        assert "No calls yet" not in stage.text()


async def test_the_namespace_has_a_column_only_if_there_are_several(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        assert "Space" not in stage.lines()[1]
        source.put(demo.flow(500, namespace="team-red"))
        await stage.sees("Space", "team-red")


async def test_eighty_columns_show_what_matters_most(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(80, 24)) as stage:
        titles = stage.lines()[1].split()
        assert " ".join(titles) == "Time Status Model In Out Cost TTFT Total Flags"


async def test_a_hundred_and_twenty_columns_show_every_number(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(120, 24)) as stage:
        titles = stage.lines()[1].split()
        wanted = "Time Status Client Provider Model Sess In Cached Out Cost TTFT Total Flags"
        assert " ".join(titles) == wanted


async def test_hostile_text_stays_in_its_cell(home: Home) -> None:
    source = MemorySource()
    evil = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] \u202egnp.exe \ud800 \x9b31m\r\n\ttail"
    source.put(
        demo.flow(1, model=evil, preview=evil, error=evil, error_type="x", provider=evil, age=1),
        demo.flow(2, model="家族👨‍👩‍👧‍👦模型模型模型模型", preview="e\u0301" * 50 + "\u0338" * 500),
    )
    async with on_stage(source, home, size=(160, 24)) as stage:
        await stage.sees("[bold red]x[/]")
        text = stage.text()
        assert not {"\x1b", "\x07", "\r", "\t", "\u202e", "\x9b", "\ud800"} & set(text)
        assert "owned" not in text
        text.encode()
        assert {strip.cell_length for strip in stage.app.screen._compositor.render_strips()} == {
            160
        }
        await stage.press("enter", "escape")


async def test_fifty_calls_a_second_all_arrive(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        for n in range(100):
            source.put(demo.flow(1000 + n, state="open"))
            source.put(demo.flow(1000 + n, model=f"burst-{n}"))
            await stage.pilot.pause(0.01)
        await stage.sees("burst-99")
        assert all(
            f.state != "open" for f in stage.live.list.flows if (f.model or "").startswith("burst")
        )


async def test_the_list_does_not_grow_for_ever(home: Home) -> None:
    source = MemorySource()
    async with on_stage(source, home) as stage:
        source.put(*(demo.flow(n) for n in range(2 * flow_list.KEPT + 100)))
        await until(lambda: len(stage.live.list) == flow_list.KEPT)


async def test_the_store_is_only_asked_from_other_threads(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2", "3", "1", "enter", "escape")
        assert threading.get_ident() not in source.threads


async def test_the_mouse_chooses_and_opens(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.pilot.click("#flows", offset=(10, 4))
        assert stage.table.cursor == 4
        await stage.pilot.double_click("#flows", offset=(10, 2))
        await until(lambda: stage.app.screen is not stage.app.screen_stack[0])
        assert stage.detail.flow_id == demo.flows()[2].id or stage.detail


async def test_the_mouse_changes_screens(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.pilot.click("#modes", offset=(22, 0))
        await stage.sees("Fix the flaky clock tests")


async def test_the_palette_knows_the_screens(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        titles = [command.title for command in stage.app.get_system_commands(stage.app.screen)]
        assert {"Go to Live", "Go to Sessions", "Go to Events"} <= set(titles)


async def test_the_help_names_every_key_of_the_footer(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(120, 130)) as stage:
        await stage.press("question_mark")
        await stage.sees("Filter (all terms must hold)", "Everywhere")
        await stage.press("escape")
        assert stage.live


async def test_the_help_begins_with_the_screen_that_is_open(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(120, 24)) as stage:
        await stage.press("9", "question_mark")
        await stage.sees("start a draft; stop what runs", "Everywhere")
        await stage.press("escape", "1", "enter", "question_mark")
        await stage.sees("the tabs: Conversation, Request … Learnt", "Everywhere")


async def test_calls_in_which_something_was_found_are_marked(home: Home) -> None:
    source = guard_demo.source()
    async with on_stage(source, home, size=(140, 24)) as stage:
        await stage.sees("▲st2", "▲st4")
        assert "▲s~" in stage.text()
        assert sum("▲" in line for line in stage.lines()) == 4, "what is low is not told"
        call = demo.flows()[3]
        source.guard.find(guard_demo.finding(9, 1, call=call.id))
        await until(lambda: sum("▲" in line for line in stage.lines()) == 5)
        source.guard.settle(source.guard.found[-1].id, "false_positive")
        await until(lambda: sum("▲" in line for line in stage.lines()) == 4)
