"""The screen of one session."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from llmproxy_core.home import Home
from llmproxy_core.store import tree
from llmproxy_core.store.flows import Session
from llmproxy_core.store.overview import SessionTree
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.session import SessionScreen
from tests.tui import demo, family
from tests.tui.family import SESSION, id_of
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until

LINES = 2_000


@pytest.fixture
def source() -> MemorySource:
    return family.source()


@asynccontextmanager
async def on_session(
    source: MemorySource, home: Home, size: tuple[int, int] = (120, 34)
) -> AsyncIterator[Stage]:
    """The session's screen, opened from the list."""
    async with on_stage(source, home, size) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests")
        await stage.press("enter")
        await until(lambda: isinstance(stage.app.screen, SessionScreen))
        await stage.sees("12 calls")
        yield stage


def screen(stage: Stage) -> SessionScreen:
    assert isinstance(stage.app.screen, SessionScreen)
    return stage.app.screen


async def at(stage: Stage, number: int) -> None:
    """Wait until the cursor is on this call."""
    await until(lambda: stage.table.current is not None and stage.current().key == id_of(number))


async def test_a_session_opens_as_a_tree_at_its_newest_call(
    source: MemorySource, home: Home
) -> None:
    async with on_session(source, home) as stage:
        await stage.sees(
            "▾ conversation, 5 calls: Fix the flaky",
            "│ ▾ Task sub-agent, 2 calls: Find all",
            "│ ▾ branch, 2 calls: Use a fake clock",
            "▾ compacted, 2 calls",
            "▸ beside it, 1 call",
            "↻ [tool_result]",
            "1 branch, 1 sub-agent",
        )
        await at(stage, 11)


async def test_the_chosen_turn_says_what_it_comes_from(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(3))
        await stage.sees(f"sub-agent of {str(id_of(2))[-6:]}, called by Task {family.CALL}")
        screen(stage).go_to(id_of(6))
        await stage.sees(f"retry of {str(id_of(5))[-6:]}")
        screen(stage).go_to(id_of(10))
        await stage.sees(f"compacted, continues {str(id_of(9))[-6:]}")


async def test_a_missed_cache_is_marked_summed_and_explained(
    source: MemorySource, home: Home
) -> None:
    async with on_session(source, home) as stage:
        await stage.sees("▲9900", "▲ 1 missed cache, $0.1428 more")
        await stage.press("m")
        await at(stage, 7)
        await stage.sees("the client changed the tool Bash", "It cost $0.1428 more")


async def test_estimates_are_marked(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(8))
        await stage.sees("~$0.0212", "tokens and cost are estimated")


async def test_branches_fold_with_their_sums_and_unfold(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(4))
        await stage.press("left")
        await stage.sees("▸ Task sub-agent", "14.3k")
        assert "There are three.\n" not in stage.text()
        await stage.press("right")
        await stage.sees("▾ Task sub-agent")
        await stage.press("enter")
        await stage.sees("▸ Task sub-agent")


async def test_e_folds_all_branches_but_the_first(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        await stage.press("e")
        await stage.sees("▾ conversation", "▸ Task sub-agent", "▸ branch", "▸ compacted")
        await stage.press("e")
        await stage.sees("▾ Task sub-agent", "▾ beside it")


async def test_p_goes_to_the_parent_also_out_of_a_branch(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(4))
        await stage.press("p")
        await at(stage, 3)
        await stage.press("p")
        await at(stage, 2)


async def test_brackets_go_round_the_branches_that_leave_the_same_one(
    source: MemorySource, home: Home
) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(4))
        await stage.press("right_square_bracket")
        await until(lambda: stage.current().node.id == id_of(8))
        await stage.press("left_square_bracket")
        await until(lambda: stage.current().node.id == id_of(3))


async def test_a_parent_in_another_session_opens_that_session(
    source: MemorySource, home: Home
) -> None:
    other = demo.uuid(2, demo.NOW)
    outside = demo.flow(900, 4000, session_id=other)
    source.kept[outside.id] = outside
    nodes = [family.node(0, relation="compaction"), family.node(1, 0)]
    nodes[0].parent_id = outside.id
    source.trees[SESSION] = SessionTree(family.session(), nodes, tree.branches(nodes), {})
    there = replace(family.node(0), id=outside.id, preview="Said before")
    source.trees[other] = SessionTree(demo.sessions()[1], [there], [], {})

    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests")
        await stage.press("enter")
        await stage.sees("Question 1")
        await stage.press("up", "p")
        await stage.sees("Review src/ for data races", "Said before")


async def test_a_turn_opens_and_s_leads_back_to_its_place(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(6))
        await stage.press("enter")
        await until(lambda: isinstance(stage.app.screen, DetailScreen))
        await until(lambda: stage.detail.reading is not None)
        await stage.press("n")
        await until(lambda: stage.detail.flow_id == id_of(8))
        await until(lambda: stage.detail.reading is not None)
        await stage.press("s")
        await at(stage, 8)
        assert len(stage.app.screen_stack) == 2


async def test_s_in_live_opens_the_tree_at_the_call(source: MemorySource, home: Home) -> None:
    first = demo.flows()[2]
    source.trees[SESSION].nodes[4].id = first.id
    source.trees[SESSION].nodes[5].parent_id = first.id
    async with on_stage(source, home) as stage:
        await stage.press("down", "down", "s")
        await stage.sees("12 calls")
        await until(lambda: stage.current().key == first.id)


async def test_the_tree_grows_while_the_session_goes_on(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        known = source.trees[SESSION]
        nodes = [*known.nodes, family.node(12, 11, preview="And one more", state="open")]
        source.trees[SESSION] = replace(known, nodes=nodes, branches=tree.branches(nodes))
        nodes[-1].branch = nodes[-2].branch
        source.put(demo.flow(1, session_id=SESSION, state="open"))
        await stage.sees("13 calls", "And one more")
        await at(stage, 12)


async def test_who_reads_an_older_turn_is_left_there(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        screen(stage).go_to(id_of(2))
        source.put(demo.flow(1, session_id=SESSION))
        await until(lambda: not screen(stage)._stale)
        await stage.pilot.pause(0.3)
        assert stage.current().key == id_of(2)


async def test_a_star_is_set_and_taken_away(source: MemorySource, home: Home) -> None:
    async with on_session(source, home) as stage:
        await stage.press("asterisk")
        await stage.sees("★ Fix the flaky clock tests")
        await stage.press("asterisk")
        await until(lambda: "★" not in stage.text())


async def test_a_session_that_is_gone_says_so(source: MemorySource, home: Home) -> None:
    source.trees.clear()
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests")
        await stage.press("enter")
        await stage.sees("There is no session")
        await stage.press("m", "e", "p", "f", "right", "left", "enter", "y", "escape")
        await stage.sees("4 sessions")


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (200, 50)])
async def test_no_turn_hides_below_the_pane(
    source: MemorySource, home: Home, size: tuple[int, int]
) -> None:
    async with on_session(source, home, size) as stage:
        await stage.press("m")
        await at(stage, 7)
        assert stage.table.cursor in stage.table.rows_on_screen()


async def test_the_conversation_stands_beside_the_tree_on_wide_terminals(
    source: MemorySource, home: Home
) -> None:
    async with on_session(source, home, (200, 40)) as stage:
        screen(stage).go_to(id_of(2))
        await stage.sees("Three tests fail for one reason")
        await stage.press("v")
        await until(lambda: "Three tests fail for one reason" not in stage.text())


async def test_thousands_of_turns_are_shown_in_a_moment(home: Home) -> None:
    nodes = [family.node(n, n - 1 if n else None) for n in range(LINES)]
    tree._number(nodes)
    session: Session = replace(family.session(), requests=LINES, cost_usd=Decimal(9))
    source = demo.source()
    source.trees[SESSION] = SessionTree(session, nodes, tree.branches(nodes), {})
    async with on_stage(source, home) as stage:
        await stage.press("2")
        await stage.sees("Fix the flaky clock tests")
        began = time.process_time()
        stage.app.show_session(SESSION)
        await stage.sees("2,000 calls", "Answer 1999")
        assert time.process_time() - began < 5
