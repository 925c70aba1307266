"""The Policies screen: which are in force, and how well they are proven."""

import pytest

from llmproxy_core.home import Home
from llmproxy_core.tui.screens.decisions import DecisionsScreen
from tests.tui import demo, guard_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


@pytest.fixture
def source() -> MemorySource:
    return guard_demo.source()


def modes(source: MemorySource) -> list[str]:
    return [line.policy.mode for line in source.guard.lines]


async def opened(stage: Stage, down: int = 0) -> None:
    await stage.press("5")
    await stage.sees("3 active, 1 in shadow")
    await stage.press(*["down"] * down)


async def test_policies_are_listed_with_their_hits_and_bounds(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage)
        await stage.sees("no-pii", "redact wire", "shadow", "≤12.0%", "mitm.toml")
        await stage.sees("masks what was found in everything that is written")
        await stage.sees("at most 3.1% (95 %, from 96 settled findings)")
        await stage.sees("of the mitm.toml of /home/mira/.llmproxy: change it there")


async def test_one_that_is_not_proven_is_not_called_active(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=2)
        await stage.sees("unproven", "in shadow until it is proven", "enforced only below 1.0%")


async def test_a_policy_goes_into_shadow_and_off_with_a_key(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=1)
        await stage.press("s")
        await until(lambda: modes(source)[1] == "shadow")
        await stage.sees("shadow: only tells what it would do")
        await stage.press("o")
        await until(lambda: modes(source)[1] == "off")


async def test_what_may_stop_programs_is_asked_about_first(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=1)
        await stage.press("o")
        await until(lambda: modes(source)[1] == "off")
        await stage.sees("2 active, 1 in shadow")
        await stage.press("a")
        await stage.sees("ask-before-shell will be enforced (hold).", "Applied 7 times")
        assert modes(source)[1] == "off"
        await stage.press("enter")
        await until(lambda: modes(source)[1] == "active")


async def test_what_stops_nobody_is_not_asked_about(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=3)
        await stage.press("a")
        await until(lambda: modes(source)[3] == "active")


async def test_a_policy_of_a_file_says_where_to_change_it(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage)
        await stage.press("o")
        await stage.is_told("secrets is of a mitm.toml. Change it there.")
        assert modes(source)[0] == "active"


async def test_what_it_decided_is_a_key_away_and_leads_to_the_calls(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=2)
        await stage.press("enter")
        await stage.sees("no-orders-from-pages", "applied 2 times", "a page gives orders")
        assert isinstance(stage.app.screen, DecisionsScreen)
        await stage.press("enter")
        await until(lambda: stage.detail.flow_id == demo.flows()[2].id)
        await stage.sees("no-orders-from-pages (shadow): would have been blocked")


async def test_a_test_on_stored_calls_is_shown(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage, down=3)
        await stage.press("e")
        await stage.sees("no-pii  on the calls of the last 7 days", "would have masked 5 of them")
        await stage.press("escape")
        await stage.sees("3 active")


async def test_a_test_that_cannot_be_made_says_why(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 30)) as stage:
        await opened(stage)
        await stage.press("e")
        await stage.sees("There is no policy 'secrets'.")


async def test_without_policies_there_is_one_to_begin_with(home: Home) -> None:
    async with on_stage(MemorySource(), home, size=(140, 30)) as stage:
        await stage.press("5")
        await stage.sees("No policies yet.", "llmproxy policies add no-secrets --mode shadow")
