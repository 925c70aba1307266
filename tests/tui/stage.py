"""The app on a stage: at a fixed time, in UTC, on a source of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

from textual.pilot import Pilot

from llmproxy_core.home import Home
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.live import LiveScreen
from llmproxy_core.tui.source import Source
from llmproxy_core.tui.widgets.table import Table
from tests.tui import demo

PATIENCE = 60.0


def make_app(source: Source, home: Home) -> LlmproxyApp:
    return LlmproxyApp(source, home, clock=lambda: demo.NOW, zone=UTC)


async def until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for something to come true; fails the test if it does not."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not what():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("it did not come true in time")
        await asyncio.sleep(0.01)


class Stage:
    """The app with its pilot, and eyes for what is on screen."""

    def __init__(self, app: LlmproxyApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self._told: list[str] = []
        notify = app.notify

        def heard(message: str, **options: Any) -> None:
            self._told.append(message)
            notify(message, **options)

        app.notify = heard  # type: ignore[method-assign]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {":": "colon", " ": "space", ">": "greater_than_sign", "=": "equals_sign"}
        await self.pilot.press(*(names.get(c, c) for c in text))

    @property
    def live(self) -> LiveScreen:
        assert isinstance(self.app.screen, LiveScreen)
        return self.app.screen

    @property
    def detail(self) -> DetailScreen:
        assert isinstance(self.app.screen, DetailScreen)
        return self.app.screen

    @property
    def table(self) -> Table[Any]:
        return self.app.screen.query_one(Table)

    def current(self) -> Any:
        """The row under the cursor."""
        assert self.table.current is not None
        return self.table.current

    def lines(self) -> list[str]:
        """What the terminal shows, line by line."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    async def is_told(self, words: str) -> None:
        """Wait for a notification, which a test does not see on screen; each is heard once.

        They go after some seconds, which a busy machine may sleep through.
        """
        await until(lambda: any(words in one for one in self._told))
        self._told.remove(next(one for one in self._told if words in one))

    async def sees(self, *words: str) -> None:
        """Wait until all of these are on screen."""
        try:
            await until(lambda: all(word in self.text() for word in words))
        except AssertionError:
            raise AssertionError(f"{words} not all in:\n{self.text()}") from None


async def ready(pilot: Pilot[Any]) -> None:
    """Wait until the app shows what the source holds; for snapshots, too."""
    app = pilot.app
    assert isinstance(app, LlmproxyApp)
    await until(lambda: app.hub.feed.link != "connecting" and app.hub.status.proxy is not None)
    await until(lambda: app.hub.status.link == app.hub.feed.link)
    live = app.screen
    assert isinstance(live, LiveScreen)
    await until(lambda: app.hub.feed.link == "down" or live._loaded)
    await until(lambda: app.hub.feed.link == "down" or app.hub.status.running is not None)
    await pilot.pause(0.3)


@asynccontextmanager
async def on_stage(
    source: Source, home: Home, size: tuple[int, int] = (120, 30)
) -> AsyncIterator[Stage]:
    app = make_app(source, home)
    try:
        async with app.run_test(size=size) as pilot:
            await ready(pilot)
            yield Stage(app, pilot)
    finally:
        await asyncio.to_thread(app.hub.feed.join, PATIENCE)
