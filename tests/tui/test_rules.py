"""The Rules screen: transformations in their order, and what they would change."""

import pytest

from llmproxy_core.home import Home
from tests.tui import learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


@pytest.fixture
def source() -> MemorySource:
    return learning_demo.source()


def active(source: MemorySource) -> list[bool]:
    return [one.active for one in source.learning.stored_rules]


async def opened(stage: Stage, down: int = 0) -> None:
    await stage.press("0")
    await stage.sees("3 rules on")
    await stage.press(*["down"] * down)


async def test_rules_are_listed_in_their_order_with_their_hits(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        names = ("batch-limit", "brief-triage", "no-web", "won-shorter-answers")
        lines = [line for line in stage.lines() for name in names if f" {name} " in line]
        assert [line.split()[0] for line in lines[:4]] == ["-10", "0", "5", "20"]
        await stage.sees("12,044", "clamp max tokens", "never")


async def test_a_rule_says_what_it_does_and_where_it_can(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.sees("when  client.user", 'clamp: parameter = "max_tokens", max = 1000')
        await stage.sees("done in openai.chat", "not in other", "change it there")
        await stage.press("end")
        await stage.sees("the winner of experiment:")


async def test_what_is_wrong_with_a_rule_is_told(source: MemorySource, home: Home) -> None:
    odd = learning_demo.rule("odd", "true", [{"op": "explode"}])
    source.learning.stored_rules = [odd]
    async with on_stage(source, home, size=(140, 40)) as stage:
        await stage.press("0")
        await stage.sees("1 rule on", "it cannot be done:")


async def test_a_rule_goes_off_with_a_key_and_on_after_a_question(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage, down=1)
        await stage.press("o")
        await until(lambda: not active(source)[1])
        await stage.sees("2 rules on")
        await stage.press("a")
        await stage.sees("Switch brief-triage on?")
        assert not active(source)[1]
        await stage.press("enter")
        await until(lambda: active(source)[1])


async def test_a_rule_of_a_file_says_where_to_change_it(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("o")
        await stage.is_told("batch-limit is in a mitm.toml. Change it there.")


async def test_what_it_would_change_is_shown_on_stored_calls(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage, down=1)
        await stage.press("e")
        await stage.sees("brief-triage  on the newest calls", "@ /messages/0/content")
        await stage.sees("it would be left alone: signed")
        await stage.press("escape", "down", "enter")
        await stage.sees("It is for none of the newest calls.")


async def test_it_is_shown_on_a_call_that_a_person_names(source: MemorySource, home: Home) -> None:
    call = source.learning.rule_trials["brief-triage"][0].flow.id
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage, down=1)
        await stage.press("E")
        await stage.sees("Test brief-triage on which call?")
        await stage.type(call.hex[-6:])
        await stage.press("enter")
        await stage.sees("on the call", "@ /messages/0/content")
        await stage.press("escape", "E")
        await stage.type("nope")
        await stage.press("enter")
        await stage.sees("No calls have an id like 'nope'.")


async def test_a_rule_is_moved_in_the_order(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage, down=2)
        await stage.press("K")
        await until(lambda: [one.name for one in stage.table.rows][1] == "no-web")
        assert stage.current().name == "no-web"
        await stage.press("J", "J")
        await until(lambda: [one.name for one in stage.table.rows][3] == "no-web")


async def test_a_sorted_list_moves_no_rules(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 40)) as stage:
        await opened(stage)
        await stage.press("greater_than_sign", "J")
        await stage.is_told("rules move in their own order only")


async def test_without_rules_there_is_one_to_begin_with(home: Home) -> None:
    async with on_stage(MemorySource(), home, size=(140, 30)) as stage:
        await stage.press("0")
        await stage.sees("No rules yet.", "llmproxy transform add", "[[transformations]]")
