"""What all screens share: the source and its feed, the clock, and the news."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, cast

from textual.app import App, ComposeResult
from textual.content import Content
from textual.messages import Prune
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Footer

from llmproxy_core.errors import DatabaseUnavailable, LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.tui import plain
from llmproxy_core.tui.feed import Feed, Update
from llmproxy_core.tui.health import backlog_bytes, proxy_health, used_up
from llmproxy_core.tui.source import Source
from llmproxy_core.tui.widgets.columns import Glance
from llmproxy_core.tui.widgets.status_bar import AlertBar, Status, StatusBar
from llmproxy_core.tui.widgets.tab_line import TabLine
from llmproxy_core.tui.widgets.waiting_badge import WaitingBadge

if TYPE_CHECKING:
    from llmproxy_core.tui.app import LlmproxyApp

FRAMES = 5
"""Steps of the spinner a second."""

BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (160, "-wide")]

CALLS = "approvals"
"""The mode of calls that wait for a person."""

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Hub:
    """Made by the app; screens subscribe to `updates` and `statuses`."""

    def __init__(
        self,
        app: App[None],
        source: Source,
        home: Home,
        wake: Callable[[], object],
        clock: Clock = utc_now,
        zone: tzinfo | None = None,
    ) -> None:
        self.source = source
        self.home = home
        self._app = app
        self._told = ""
        self.feed = Feed(source, wake)
        self.now = clock
        self.zone = zone
        self.updates: Signal[Update] = Signal(app, "updates")
        self.statuses: Signal[Status] = Signal(app, "statuses")
        self.status = Status()

    async def ask[T](self, call: Callable[[], T]) -> T | None:
        """The result of a blocking call of the source; None where the store does not answer.

        The feed notices a lost database by itself and tells it in the status bar; anything else
        is told once.
        """
        try:
            return await asyncio.to_thread(call)
        except DatabaseUnavailable:
            return None
        except LlmproxyError as exc:
            if str(exc) != self._told:
                self._told = str(exc)
                self._app.notify(plain.line(self._told), severity="error", markup=False)
            return None

    async def do[T](self, call: Callable[[], T]) -> T | None:
        """The same for what a person has asked for: whatever stands in the way is told every time."""
        try:
            return await asyncio.to_thread(call)
        except LlmproxyError as exc:
            self._app.notify(plain.line(str(exc)), severity="error", markup=False)
            return None

    async def look(self) -> None:
        """Find out the state of the machine and tell it."""
        proxy = await asyncio.to_thread(proxy_health, self.home)
        today = self.now().astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        totals = None
        if self.feed.link == "up":
            totals = await self.ask(lambda: self.source.totals(today))
        stored = totals.stored if totals else None
        backlog = (
            await asyncio.to_thread(backlog_bytes, self.home, stored)
            if stored is not None
            else None
        )
        self.status = Status(
            proxy=proxy,
            backlog=backlog,
            rate=self.feed.rate(),
            link=self.feed.link,
            problem=self.feed.problem,
            running=totals.running if totals else None,
            cost_today=totals.cost_today if totals else None,
            losses=totals.losses if totals else self.status.losses,
            used_up=tuple(await asyncio.to_thread(used_up, self.home)),
        )
        self.statuses.publish(self.status)

    def glance(self) -> Glance:
        now = self.now()
        return Glance(now, int(now.timestamp() * FRAMES), self.zone)


class HubScreen(Screen[None]):
    """A screen that may ask the store. From 160 columns on it has the class `-wide`."""

    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    HELP = ""
    """The section of the help to begin with, where it is not called as the screen."""

    @property
    def hub(self) -> Hub:
        return cast("LlmproxyApp", self.app).hub

    @property
    def llmproxy(self) -> "LlmproxyApp":
        return cast("LlmproxyApp", self.app)

    def on_mount(self) -> None:
        self.take_waiting(self.llmproxy.badges)

    def take_waiting(self, badges: Mapping[str, int]) -> None:
        """What waits for a person, by mode. Every screen tells of calls, for those do not wait long."""
        many = badges.get(CALLS, 0)
        for badge in self.query(WaitingBadge):
            badge.many = many
            return
        if many and self.is_attached:
            self.mount(WaitingBadge(many))

    def on_resize(self) -> None:
        for badge in self.query(WaitingBadge):
            badge.place()

    async def on_prune(self, event: Prune) -> None:
        """Nobody waits for what is still being read here. Textual stops it when the screen is gone,
        which is after its parts are."""
        for worker in list(self.workers):
            if self in worker.node.ancestors_with_self:
                worker.cancel()


class ModeScreen(HubScreen):
    """The frame of the screens in `MODES`: titles above, the state of things below."""

    MODE = ""

    def compose(self) -> ComposeResult:
        yield TabLine(self.llmproxy.mode_tabs(), self.MODE, brand="llmproxy", id="modes")
        yield from self.body()
        yield AlertBar()
        yield StatusBar()
        yield Footer(compact=True, show_command_palette=False)

    def body(self) -> ComposeResult:
        """The widgets between the bars."""
        yield from ()

    def on_mount(self) -> None:
        self.hub.statuses.subscribe(self, self.take_status)
        self.hub.updates.subscribe(self, self.take_update)
        self.take_status(self.hub.status)
        self.take_alert(self.llmproxy.alert)

    def take_status(self, status: Status) -> None:
        self.query_one(StatusBar).status = status

    def take_alert(self, alert: str) -> None:
        self.query_one(AlertBar).alert = alert

    def take_waiting(self, badges: Mapping[str, int]) -> None:
        """Told beside the titles of their screens."""
        for titles in self.query(TabLine):  # none, where the app is just going
            titles.badges = badges

    def take_update(self, update: Update) -> None:
        """Called on the event loop with what changed in the store."""

    def note(self, *parts: str | tuple[str, str]) -> None:
        """What the top line says about this screen."""
        self.query_one("#modes", TabLine).note = Content.assemble(*parts)

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        self.app.switch_mode(event.name)
