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
from llmproxy_core.tui.widgets.text_pane import Line, Paint, TextPane

TICK = 0.2


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
        self._progress = 0, 0
        self._told = False

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
        self.set_interval(TICK, self._tick)
        self.run_trial()

    @work(exclusive=True, group="trial")
    async def run_trial(self) -> None:
        guard = self.hub.source.guard
        tone: Paint = "text"
        try:
            told = await asyncio.to_thread(guard.trial, self.policy, self.days, self._read)
        except LlmproxyError as exc:
            told, tone = [str(exc)], "bad"
        self._told = True
        self._show([Line(plain.block(line), tone) for line in told])

    def _read(self, done: int, of: int) -> None:
        """Called from the thread that reads; raises where nobody waits any more."""
        if not self.is_attached:
            raise LlmproxyError("nobody waits for it")
        self._progress = done, of

    def _tick(self) -> None:
        done, of = self._progress
        if not self._told and of:
            self._show([Line(f"Reading the calls … {done:,} of {of:,}", "dim")])

    def _show(self, lines: list[Line]) -> None:
        for pane in self.query(TextPane):  # none, where it was left meanwhile
            pane.show(lines)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(TextPane).text())
        self.notify("Copied")
