"""Sessions and their turns."""

from dataclasses import replace

from llmproxy_core.home import Home
from tests.tui import demo, family
from tests.tui.memory import MemorySource
from tests.tui.stage import on_stage, until


async def test_sessions_are_listed_with_their_totals(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests", "$1.82", "882k", "4 sessions")


async def test_a_session_unfolds_to_its_turns_and_folds_again(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("▸ Fix the flaky")
        await stage.press("right")
        await stage.sees("▾ Fix the flaky", "└ 15:08:41 Explain the retry logic")
        await stage.press("down", "left")
        await stage.sees("▸ Fix the flaky")
        assert stage.table.cursor == 0


async def test_a_turn_opens_and_its_neighbours_are_a_key_away(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2", "right")
        await stage.sees("└ 15:08:41")
        await stage.press("down", "enter")
        await until(lambda: stage.detail.reading is not None)
        first = stage.detail.flow_id
        await stage.press("n")
        await until(lambda: stage.detail.flow_id != first)


async def test_l_shows_the_calls_of_a_session_in_live(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky")
        await stage.press("l")
        wanted = {flow.id for flow in demo.flows() if flow.session_id == demo.uuid(1, demo.NOW)}
        await until(lambda: stage.app.current_mode == "live")
        await until(lambda: {flow.id for flow in stage.live.list.flows} == wanted)


async def test_a_new_turn_updates_the_list(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("4 sessions")
        source.session_list = source.session_list[:1]
        source.put(demo.flow(900))
        await stage.sees("1 session")


async def test_without_sessions_it_says_so(home: Home) -> None:
    async with on_stage(MemorySource(), home) as stage:
        await stage.press("2")
        await stage.sees("no sessions yet")


async def test_sessions_of_one_call_are_left_out_until_they_are_asked_for(
    source: MemorySource, home: Home
) -> None:
    single = replace(demo.sessions()[2], id=demo.uuid(77), title="One question", requests=1)
    source.session_list.append(single)
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("4 sessions, 1 of one call left out (o shows)")
        assert "One question" not in stage.text()
        await stage.press("o")
        await stage.sees("One question", "5 sessions")
        await stage.press("o")
        await stage.sees("4 sessions")


async def test_where_all_sessions_have_one_call_they_are_shown(home: Home) -> None:
    source = MemorySource()
    source.session_list = [replace(demo.sessions()[0], requests=1)]
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests", "1 session")


async def test_a_star_marks_a_session(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Review src/")
        await stage.press("down", "asterisk")
        await stage.sees("▸ ★ Review src/ for data races")
        await stage.press("asterisk")
        await until(lambda: "★" not in stage.text())


async def test_sub_agents_and_branches_are_counted(home: Home) -> None:
    async with on_stage(family.source(), home) as stage:
        await stage.press("2")
        await stage.sees("1a 1b")
