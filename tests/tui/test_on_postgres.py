"""The app on the real store: rows written by the writer, heard through NOTIFY."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from llmproxy_core.home import Home
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import (
    RequestRow,
    ResponseRow,
    SearchRow,
    StreamDelta,
    ToolCallRow,
)
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource
from llmproxy_core.words import hashed, words
from tests.store import flows
from tests.tui import demo
from tests.tui.stage import PATIENCE, Stage, ready, until


def a_call(model: str) -> tuple[RequestRow, ResponseRow]:
    """The Anthropic call of the demo, now."""
    detail = demo.detail(demo.flows()[2])
    assert detail.response is not None
    request = replace(
        detail.request,
        id=flows.new_id(),
        session_id=flows.SESSION,
        model=model,
        started_at=datetime.now(UTC),
    )
    return request, replace(detail.response, id=request.id, model=model, ended_at=datetime.now(UTC))


type Write = Callable[[Batch], Awaitable[object]]


@asynccontextmanager
async def on_store(database: Database, home: Home) -> AsyncIterator[tuple[Stage, Write]]:
    """The app and a writer, each with connections of its own."""
    app = LlmproxyApp(StoreSource(lambda: Database(database.url)), home, zone=UTC)
    writer = Writer(database)
    try:
        async with app.run_test(size=(140, 40)) as pilot:
            await ready(pilot)
            yield Stage(app, pilot), lambda batch: asyncio.to_thread(writer.write, batch)
    finally:
        await asyncio.to_thread(app.hub.feed.join, PATIENCE)
        writer.close()


async def test_a_call_is_seen_from_its_first_byte_to_its_cost(
    database: Database, home: Home
) -> None:
    request, response = a_call("claude-opus-9")

    async with on_store(database, home) as (stage, write):
        await stage.sees("No calls yet")
        await write(
            Batch(requests=[request], sessions=[flows.a_session(at=datetime.now(UTC), requests=1)])
        )
        await stage.sees("claude-opus-9", "1 running")
        await write(Batch(deltas=[StreamDelta(1, request.id, 0, "text", "Hello there, " * 40)]))
        await stage.sees("~130")
        await stage.press("enter")
        await stage.sees("assistant … writing", "Hello there, Hello there,")
        await write(Batch(deltas=[StreamDelta(1, request.id, 1, "text", "and goodbye.")]))
        await stage.sees("goodbye.")
        await write(Batch(responses=[response]))
        await stage.sees("Three tests fail for one reason", "call Edit")
        await stage.press("4")
        await stage.sees("request-id: req_011")
        await stage.press("escape", "2")
        await stage.sees("1 session")


async def test_a_filter_finds_in_the_store_and_in_what_comes(
    database: Database, home: Home
) -> None:
    old, new = a_call("first-model"), a_call("first-model-again")
    other = a_call("second-model")

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[old[0], other[0]], responses=[old[1], other[1]]))
        await stage.sees("second-model")
        await stage.press("slash")
        await stage.type("model:first")
        await until(lambda: len(stage.live.list) == 1)
        await write(Batch(requests=[new[0]], responses=[new[1]]))
        await stage.sees("first-model-again")
        assert "second-model" not in stage.text()


async def test_a_lost_connection_is_found_again(database: Database, home: Home) -> None:
    request, response = a_call("after-the-cut")

    def cut() -> None:
        connection = database.raw()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.close()

    async with on_store(database, home) as (stage, write):
        await asyncio.to_thread(cut)
        await write(Batch(requests=[request], responses=[response]))
        await stage.sees("after-the-cut", "● database")


async def test_words_are_searched_in_all_that_was_said(database: Database, home: Home) -> None:
    said, other = a_call("talks-of-it"), a_call("talks-not")

    async with on_store(database, home) as (stage, write):
        told = ((said[0].id, "a xylophone in the attic"), (other[0].id, "nothing"))
        rows = [SearchRow(1, id, hashed(words(text))) for id, text in told]
        batch = Batch(requests=[said[0], other[0]], responses=[said[1], other[1]], search=rows)
        await write(batch)
        await stage.sees("talks-of-it", "talks-not")
        await stage.press("ctrl+f")
        await stage.type("xylophone")
        await until(lambda: [flow.model for flow in stage.live.list.flows] == ["talks-of-it"])


async def test_a_session_is_a_tree_with_its_sub_agent_and_a_star(
    database: Database, home: Home
) -> None:
    asked, answered = a_call("claude-opus-4-5")
    child, said = a_call("claude-haiku-4-5")
    child = replace(child, parent_id=asked.id, relation="subagent", parent_call="toolu_9")
    asked, child = replace(asked, head=b"1" * 16), replace(child, head=b"2" * 16)
    calls = [ToolCallRow(1, asked.id, 0, "toolu_9", "Task", "{}")]
    session = flows.a_session(at=datetime.now(UTC), requests=2, responses=2, title="Clocks")

    async with on_store(database, home) as (stage, write):
        await write(
            Batch(
                requests=[asked, child],
                responses=[answered, said],
                tool_calls=calls,
                sessions=[session],
            )
        )
        await stage.press("2")
        await stage.sees("Clocks", "1a")
        await stage.press("enter")
        await stage.sees("▾ conversation, 1 call", "▾ Task sub-agent, 1 call", "1 sub-agent")
        await stage.press("asterisk")
        await stage.sees("★ Clocks")


async def test_the_tree_of_thousands_of_turns_opens_in_a_moment(
    database: Database, home: Home
) -> None:
    turns = [a_call("claude-opus-4-5") for _ in range(2_000)]
    requests = [replace(turns[0][0], head=b"0" * 16)]
    for number, (request, _) in enumerate(turns[1:], 1):
        head = number.to_bytes(16)
        requests.append(replace(request, parent_id=requests[-1].id, relation="append", head=head))
    session = flows.a_session(at=datetime.now(UTC), requests=2_000, responses=2_000)

    async with on_store(database, home) as (stage, write):
        for start in range(0, 2_000, 500):
            answers = [answer for _, answer in turns[start : start + 500]]
            await write(Batch(requests=requests[start : start + 500], responses=answers))
        await write(Batch(sessions=[session]))
        await stage.press("2")
        await stage.sees("2000")
        began = time.process_time()
        await stage.press("enter")
        await stage.sees("2,000 calls", "Why do they fail?")
        assert time.process_time() - began < 5
