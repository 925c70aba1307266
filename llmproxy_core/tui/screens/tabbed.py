"""A screen of several panes, one of which is shown; each has the id that its tab has."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widgets import ContentSwitcher

from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.widgets.tab_line import Tab, TabLine


def keys(tabs: Sequence[Tab]) -> list[BindingType]:
    """A key for each tab."""
    return [Binding(tab.key, f"tab('{tab.name}')", tab.title, show=False) for tab in tabs]


class TabbedScreen(HubScreen):
    """`TABS`, of which `keys` are to be bound; composed with a TabLine and a ContentSwitcher."""

    TABS: ClassVar[tuple[Tab, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("right", "turn_tab(1)", "Next tab", show=False),
        Binding("left", "turn_tab(-1)", "Tab before", show=False),
    ]

    tab: reactive[str] = reactive("", init=False)

    def __init__(self, tab: str = "") -> None:
        super().__init__()
        self.set_reactive(TabbedScreen.tab, tab or self.TABS[0].name)

    async def watch_tab(self, tab: str) -> None:
        self.query_one(TabLine).current = tab
        self.query_one(ContentSwitcher).current = tab
        await self.show_tab()

    async def show_tab(self) -> None:
        """The tab in front is another one."""
        self.focus_tab()

    def focus_tab(self) -> None:
        self.query_one(f"#{self.tab}").focus()

    def action_tab(self, name: str) -> None:
        self.tab = name

    def action_turn_tab(self, by: int) -> None:
        names = [tab.name for tab in self.TABS]
        self.tab = names[(names.index(self.tab) + by) % len(names)]

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        self.tab = event.name
