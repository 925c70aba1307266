"""The app: its screens, keys and colours. A new screen is a file in `screens/` and a line in MODES."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta, tzinfo
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme

from llmproxy_core.home import Home
from llmproxy_core.store.guard_rows import Approval
from llmproxy_core.tui import plain, themes
from llmproxy_core.tui.hub import CALLS, Clock, Hub, HubScreen, ModeScreen, utc_now
from llmproxy_core.tui.screens.approvals import ApprovalsScreen
from llmproxy_core.tui.screens.enhancements import EnhancementsScreen
from llmproxy_core.tui.screens.events import EventsScreen
from llmproxy_core.tui.screens.experiments import ExperimentsScreen
from llmproxy_core.tui.screens.help import HelpScreen
from llmproxy_core.tui.screens.live import LiveScreen
from llmproxy_core.tui.screens.patterns import PatternsScreen
from llmproxy_core.tui.screens.policies import PoliciesScreen
from llmproxy_core.tui.screens.rules import RulesScreen
from llmproxy_core.tui.screens.security import SecurityScreen
from llmproxy_core.tui.screens.session import SessionScreen
from llmproxy_core.tui.screens.sessions import SessionsScreen
from llmproxy_core.tui.sentences import sentence
from llmproxy_core.tui.source import Source
from llmproxy_core.tui.widgets.prose import rich_theme
from llmproxy_core.tui.widgets.tab_line import Tab

LOOK_SECONDS = 2.0
ALERTS = frozenset({"tls_failed", "gap", "fault", "row_refused"})
"""Kinds of events that a person should do something about."""
ALERT_AGE = timedelta(minutes=10)


class Mode(NamedTuple):
    key: str
    title: str
    screen: type[ModeScreen]
    short: str = ""
    """The title where there is little room."""


SCREENS: dict[str, Mode] = {
    "live": Mode("1", "Live", LiveScreen),
    "sessions": Mode("2", "Sessions", SessionsScreen, "Sess."),
    "events": Mode("3", "Events", EventsScreen, "Ev."),
    "security": Mode("4", "Security", SecurityScreen, "Sec."),
    "policies": Mode("5", "Policies", PoliciesScreen, "Pol."),
    "approvals": Mode("6", "Approvals", ApprovalsScreen, "Appr."),
    "patterns": Mode("7", "Patterns", PatternsScreen, "Pat."),
    "enhancements": Mode("8", "Enhancements", EnhancementsScreen, "Enh."),
    "experiments": Mode("9", "Experiments", ExperimentsScreen, "Exp."),
    "rules": Mode("0", "Rules", RulesScreen, "Rul."),
}


class LlmproxyApp(App[None]):
    """`source` is opened, and read from, in threads only."""

    TITLE = "llmproxy"
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    Screen { background: $background; }
    * {
        scrollbar-color: $foreground 25%; scrollbar-color-hover: $primary 60%;
        scrollbar-color-active: $primary; scrollbar-background: $background;
        scrollbar-background-hover: $surface; scrollbar-background-active: $surface;
    }
    #live-wide { height: 1fr; }
    #live-body { height: 1fr; width: 1fr; layers: below above; }
    #live-empty {
        layer: above; width: 100%; height: 100%; align: center middle; background: $background;
    }
    #detail-tabs { background: $surface; }
    ContentSwitcher { height: 1fr; }
    .-wide SidePane.-on { display: block; }
    Footer { height: 1; }
    """
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        name: mode.screen for name, mode in SCREENS.items()
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(m.key, f"switch_mode('{name}')", m.title, show=False)
            for name, m in SCREENS.items()
        ),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("t", "theme", "Light/dark", show=False),
        Binding("x", "dismiss_alert", "Dismiss", show=False),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    class News(Message):
        """The feed has something; posted from its thread."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LlmproxyApp.News)

    def __init__(
        self, source: Source, home: Home, *, clock: Clock = utc_now, zone: tzinfo | None = None
    ) -> None:
        super().__init__()
        self.hub = Hub(self, source, home, lambda: self.post_message(self.News()), clock, zone)
        self.alert = ""
        self.waiting: list[Approval] = []
        """Calls that wait for a person."""
        self.badges: dict[str, int] = {}
        """How many things wait for a person, by mode."""
        self._told_of: set[UUID] = set()
        self._dismissed: set[str] = set()
        self._themed = False
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DARK.name

    def mode_tabs(self) -> list[Tab]:
        return [Tab(mode.key, name, mode.title, mode.short) for name, mode in SCREENS.items()]

    def on_mount(self) -> None:
        # As DEFAULT_MODE it would be mounted before it is on the stack (Textual runs tasks
        # eagerly), which an Input in it does not survive.
        self.switch_mode("live")
        self.theme_changed_signal.subscribe(self, self._use_rich_theme)
        self._use_rich_theme(self.current_theme)
        self.hub.feed.start()
        self.look()
        self.set_interval(LOOK_SECONDS, self.look)

    def on_unmount(self) -> None:
        self.hub.feed.stop()

    def _use_rich_theme(self, theme: Theme) -> None:
        if self._themed:
            self.console.pop_theme()
        self.console.push_theme(rich_theme(theme))
        self._themed = True

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """See how the proxy, the database and the worker are, and whether a call waits."""
        await self.hub.look()
        if self.hub.feed.link == "up":
            self.look_for_approvals()
            self.look_for_suggestions()

    def on_llmproxy_app_news(self) -> None:
        update = self.hub.feed.take()
        if self.hub.feed.link != self.hub.status.link:
            self.look()
        if update.events:
            self.look_for_alerts()
        if update.approvals:
            self.look_for_approvals()
        if update.learning:
            self.look_for_suggestions()
        self.hub.updates.publish(update)

    @work(exclusive=True, group="alerts")
    async def look_for_alerts(self) -> None:
        """A program that does not trust the CA is worth an alert: its calls fail."""
        events = await self.hub.ask(lambda: self.hub.source.events(limit=50))
        oldest = self.hub.now() - ALERT_AGE
        alerts = [
            sentence(event).text
            for event in events or []
            if event.kind in ALERTS and event.at > oldest
        ]
        fresh = [alert for alert in alerts if alert not in self._dismissed]
        self._show_alert(fresh[0] if fresh else "")

    def _show_alert(self, alert: str) -> None:
        self.alert = alert
        for screen in self._open_screens():
            if isinstance(screen, ModeScreen):
                screen.take_alert(alert)

    def _open_screens(self) -> Iterator[HubScreen]:
        """Those of all modes, and what is open above them."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, HubScreen) and screen.is_mounted:
                    yield screen

    @work(exclusive=True, group="waiting")
    async def look_for_approvals(self) -> None:
        """Say on every screen how many calls wait for a person, and of each new one once."""
        found = await self.hub.ask(self.hub.source.guard.waiting)
        if found is None:
            return
        now = self.hub.now()
        self.waiting = [one for one in found if one.expires_at > now]
        self._show_badge(CALLS, len(self.waiting))
        new = [one for one in self.waiting if one.request_id not in self._told_of]
        self._told_of = {one.request_id for one in self.waiting}
        if new and not isinstance(self.screen, ApprovalsScreen):
            self.bell()
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            said = f"{plain.line(new[0].said, 120) or f'policy {plain.line(new[0].policy)}'}{more}"
            self.notify(said, title="A call waits for you: 6", severity="warning", markup=False)

    @work(exclusive=True, group="suggested")
    async def look_for_suggestions(self) -> None:
        """Say how many suggestions wait for a person."""
        many = await self.hub.ask(self.hub.source.learning.waiting)
        if many is not None:
            self._show_badge("enhancements", many)

    def _show_badge(self, mode: str, many: int) -> None:
        if self.badges.get(mode, 0) != many:
            others = {name: number for name, number in self.badges.items() if name != mode}
            self.badges = {**others, mode: many} if many else others
            for screen in self._open_screens():
                screen.take_waiting(self.badges)

    def action_dismiss_alert(self) -> None:
        if self.alert:
            self._dismissed.add(self.alert)
            self.look_for_alerts()

    def action_help(self) -> None:
        screen = self.screen
        if isinstance(screen, HelpScreen):
            return
        first = screen.HELP if isinstance(screen, HubScreen) else ""
        if isinstance(screen, ModeScreen):
            first = SCREENS[screen.MODE].title
        self.push_screen(HelpScreen(first))

    def action_theme(self) -> None:
        """Between our light theme and our dark one."""
        self.theme = themes.DARK.name if not self.current_theme.dark else themes.LIGHT.name

    @work
    async def show_live(self, filter_text: str) -> None:
        """Go to Live and filter it."""
        await self.switch_mode("live")
        screen = self.screen
        if isinstance(screen, LiveScreen):
            screen.filter_by(filter_text)

    @work
    async def show_experiment(self, id: UUID) -> None:
        """Go to Experiments and put the cursor on this one."""
        await self.switch_mode("experiments")
        if isinstance(self.screen, ExperimentsScreen):
            self.screen.go_to(id)

    def show_session(self, session_id: UUID, at: UUID | None = None) -> None:
        """Open a session's tree at one of its calls; where it is open below, go back to it."""
        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        if isinstance(below, SessionScreen) and below.session_id == session_id:
            self.pop_screen()
            below.go_to(at)
        else:
            self.push_screen(SessionScreen(session_id, at))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        for name, mode in SCREENS.items():
            yield SystemCommand(
                f"Go to {mode.title}",
                f"The {mode.title} screen",
                lambda name=name: self.switch_mode(name),
            )
        yield SystemCommand(
            "Light or dark", "Switch between llmproxy's two themes", self.action_theme
        )
