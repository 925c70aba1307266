"""The app on the real store: rows written by the writer, heard through NOTIFY."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from llmproxy_core.home import Home
from llmproxy_core.store.database import Database
from llmproxy_core.store.rows import Batch, RequestRow, ResponseRow, StreamDelta
from llmproxy_core.store.writer import Writer
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource
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
        await write(Batch(requests=[request], sessions=[flows.a_session(at=datetime.now(UTC), requests=1)]))
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
