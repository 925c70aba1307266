"""Lines that take a moment to make, on a screen of their own."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, Static

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.tui import plain
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.widgets.text_pane import Line, TextPane


class PageScreen(HubScreen):
    """`title` and `told` above; `make` blocks, is called in a thread, and may raise LlmproxyError."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("y", "copy", "Copy"),
    ]
    DEFAULT_CSS = "PageScreen > #page-head { height: 1; background: $panel; }"

    def __init__(self, title: str, told: str, make: Callable[[], list[Line]]) -> None:
        super().__init__()
        self.name_of_page = title
        self.told = told
        self.make = make

    def compose(self) -> ComposeResult:
        title = (f" {plain.line(self.name_of_page)} ", "bold")
        yield Static(Content.assemble(title, (f" {self.told}", "$secondary")), id="page-head")
        yield TextPane(id="page")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(TextPane).show([Line("Reading the calls …", "dim")])
        self.query_one(TextPane).focus()
        self.load()

    @work(exclusive=True, group="page")
    async def load(self) -> None:
        try:
            lines = await asyncio.to_thread(self.make)
        except LlmproxyError as exc:
            lines = [Line(plain.block(str(exc)), "bad")]
        for pane in self.query(TextPane):  # none, where it was left meanwhile
            pane.show(lines)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(TextPane).text())
        self.notify("Copied")
