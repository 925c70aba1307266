"""One pattern: its template, its numbers, its wordings, its calls, what became of it."""

import asyncio
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Footer, Static

from llmproxy_core.store.patterns import PatternLine
from llmproxy_core.tui import pattern_words, wordings
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.learning import Exemplar, PatternAbout
from llmproxy_core.tui.pattern_columns import CALLS
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.tabbed import TabbedScreen, keys
from llmproxy_core.tui.widgets.tab_line import Tab, TabLine
from llmproxy_core.tui.widgets.table import Table
from llmproxy_core.tui.widgets.text_pane import TextPane
from llmproxy_core.tui.widgets.words_pane import WordsPane

TABS = (
    Tab("1", "template", "Template"),
    Tab("2", "calls", "Calls"),
    Tab("3", "numbers", "Numbers"),
    Tab("4", "versions", "Versions"),
    Tab("5", "history", "History"),
)
LIMIT = 300
"""Calls that are listed."""


class PatternScreen(TabbedScreen):
    HELP = "Patterns"
    TABS = TABS
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys(TABS),
        Binding("y", "copy", "Copy"),
    ]
    DEFAULT_CSS = """
    PatternScreen {
        & > #pattern-head { height: 2; background: $panel; text-wrap: nowrap; }
        & > #pattern-tabs { background: $surface; }
        & #pattern-calls { height: 1fr; }
    }
    """

    def __init__(self, line: PatternLine) -> None:
        super().__init__()
        self.line = line
        self.about: PatternAbout | None = None
        self.refresher = Refresher(self, self._read)

    def compose(self) -> ComposeResult:
        self.table: Table[Exemplar] = Table(CALLS, lambda one: one.flow.id, id="calls-table")
        yield Static(id="pattern-head", markup=False)
        yield TabLine(TABS, self.tab, id="pattern-tabs")
        with ContentSwitcher(initial=self.tab):
            yield WordsPane(id="template")
            with Vertical(id="calls"):
                yield self.table.header
                yield self.table
            yield WordsPane(id="numbers")
            yield TextPane(id="versions")
            yield WordsPane(id="history")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._tell_head()
        self.hub.updates.subscribe(self, self.take_update)
        self.focus_tab()
        self.refresher.start()

    def take_update(self, update: Update) -> None:
        if update.learning or update.overflow:
            self.refresher.news()

    def _tell_head(self) -> None:
        head = [Content(" ") + pattern_words.head(self.line), pattern_words.success(self.line.sums)]
        self.query_one("#pattern-head", Static).update(Content("\n ").join(head))

    async def _read(self) -> None:
        line, learning, hub = self.line, self.hub.source.learning, self.hub
        about = await hub.ask(lambda: learning.about(line.ns_id, line.id))
        calls = await hub.ask(lambda: learning.calls(line.ns_id, line.id, limit=LIMIT))
        if about is None or calls is None:
            return
        self.table.use_glance(hub.glance())
        self.table.show(calls)
        if about != self.about:
            await self._tell(about)

    async def _tell(self, about: PatternAbout) -> None:
        self.about, self.line = about, replace(self.line, sums=about.total)
        line, now, zone = self.line, self.hub.now(), self.hub.zone
        self._tell_head()
        self.query_one("#template", WordsPane).show(pattern_words.template(about.pieces))
        numbers = pattern_words.numbers(line, about, now, zone, self.size.width - 4)
        self.query_one("#numbers", WordsPane).show(numbers)
        self.query_one("#history", WordsPane).show(pattern_words.history(about, now, zone))
        lines = await asyncio.to_thread(wordings.version_lines, about.versions, now, zone)
        self.query_one("#versions", TextPane).show(lines, stay=True)

    # what a person does ----------------------------------------------------------------------

    def focus_tab(self) -> None:
        if self.tab == "calls":
            self.table.focus()
        else:
            super().focus_tab()

    def on_table_chosen(self) -> None:
        if self.table.current is not None:
            self.app.push_screen(DetailScreen(self.table.current.flow.id, self.step))

    def step(self, by: int) -> UUID | None:
        """The call `by` lines below; the cursor goes there, too."""
        row = self.table.step(by)
        return row.flow.id if row else None

    def action_copy(self) -> None:
        """Copy what the tab shows; of calls, the id of the one under the cursor."""
        if self.tab == "calls":
            text = str(self.table.current.flow.id) if self.table.current else ""
        elif self.tab == "versions":
            text = self.query_one("#versions", TextPane).text()
        else:
            text = self.query_one(f"#{self.tab}", WordsPane).text()
        self.app.copy_to_clipboard(text)
        self.notify("Copied")
