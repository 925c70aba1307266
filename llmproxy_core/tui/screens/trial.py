"""What a policy would have done with stored calls."""

import asyncio
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


class TrialScreen(HubScreen):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("y", "copy", "Copy"),
    ]
    DEFAULT_CSS = "TrialScreen > #trial-head { height: 1; background: $panel; }"

    def __init__(self, policy: str, days: int) -> None:
        super().__init__()
        self.policy = policy
        self.days = days

    def compose(self) -> ComposeResult:
        yield Static(id="trial-head")
        yield TextPane(id="trial")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        name = plain.line(self.policy)
        self.query_one("#trial-head", Static).update(
            Content.assemble(
                (f" {name} ", "bold"), (f" on the calls of the last {self.days} days", "$secondary")
            )
        )
        self.query_one(TextPane).show([Line("Reading the calls …", "dim")])
        self.query_one(TextPane).focus()
        self.run_trial()

    @work(exclusive=True, group="trial")
    async def run_trial(self) -> None:
        guard = self.hub.source.guard
        try:
            told = await asyncio.to_thread(guard.trial, self.policy, self.days)
        except LlmproxyError as exc:
            self.query_one(TextPane).show([Line(plain.line(str(exc), 2000), "bad")])
            return
        self.query_one(TextPane).show([Line(plain.block(line)) for line in told])

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(TextPane).text())
        self.notify("Copied")
