"""What a screen still reads when it is left."""

import asyncio

import pytest
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label, Static

from llmproxy_core.home import Home
from llmproxy_core.tui.hub import HubScreen
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage


class Slow(Static):
    """Takes its time to go, while its sisters are gone already."""

    def __init__(self) -> None:
        super().__init__()
        self.goes = asyncio.Event()

    async def on_unmount(self) -> None:
        self.goes.set()
        await asyncio.sleep(0.1)


class Pane(Vertical):
    def compose(self) -> ComposeResult:
        yield Label()

    @work
    async def read(self, goes: asyncio.Event) -> None:
        await goes.wait()
        self.query_one(Label).update("news")


class Reading(HubScreen):
    """Reads for itself and in a pane until after the first of its parts are gone."""

    def compose(self) -> ComposeResult:
        yield Label()
        yield Pane()
        yield Slow()

    def on_mount(self) -> None:
        self.read(self.query_one(Slow).goes)
        self.query_one(Pane).read(self.query_one(Slow).goes)

    @work
    async def read(self, goes: asyncio.Event) -> None:
        await goes.wait()
        self.query_one(Label).update("news")


async def leave(stage: Stage) -> None:
    await stage.app.pop_screen()


async def end(stage: Stage) -> None:
    """The app goes with all that it shows, without having been told to."""


@pytest.mark.parametrize("go", [leave, end])
async def test_what_is_read_while_the_screen_goes_breaks_nothing(
    source: MemorySource, home: Home, go
) -> None:
    async with on_stage(source, home) as stage:
        await stage.app.push_screen(Reading())
        await stage.pilot.pause()
        await go(stage)
