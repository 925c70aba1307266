"""The conversation of the chosen call beside the list, where the terminal is wide."""

import asyncio
from typing import cast
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from llmproxy_core.tui import reading
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.heading import heading
from llmproxy_core.tui.hub import Hub, HubScreen
from llmproxy_core.tui.widgets.conversation import Conversation

REST_SECONDS = 0.15
"""The cursor rests so long before a call is read: holding a key down reads none."""


class SidePane(Vertical):
    """There from 160 columns on; `toggle` puts it away and brings it back."""

    DEFAULT_CSS = """
    SidePane { width: 42%; display: none; border-left: solid $foreground 20%; }
    SidePane > #side-head {
        height: 2; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, *, on: bool = True) -> None:
        super().__init__(classes="-on" if on else "")
        self.flow_id: UUID | None = None
        self._shown: UUID | None = None
        self._rest: Timer | None = None

    @property
    def hub(self) -> Hub:
        return cast(HubScreen, self.screen).hub

    def compose(self) -> ComposeResult:
        yield Static(id="side-head", markup=False)
        yield Conversation(id="side")

    def on_mount(self) -> None:
        self.hub.updates.subscribe(self, self.take_update)

    def on_show(self) -> None:
        self._load_soon()

    def toggle(self) -> None:
        if not self.screen.has_class("-wide"):
            self.notify("The side pane needs 160 columns.")
            return
        self.toggle_class("-on")
        self._load_soon()

    def follow(self, flow_id: UUID | None) -> None:
        """Show this call as soon as the cursor rests on it; None: what is shown stays."""
        if flow_id is not None and flow_id != self.flow_id:
            self.flow_id = flow_id
            self._load_soon()

    def take_update(self, update: Update) -> None:
        if any(flow.id == self.flow_id for flow in update.flows):
            self._shown = None
            self._load_soon()

    def _load_soon(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_SECONDS, self.load)

    @work(exclusive=True, group="side")
    async def load(self) -> None:
        flow_id = self.flow_id
        if flow_id is None or flow_id == self._shown or not self.display:
            return
        source = self.hub.source
        detail = await self.hub.ask(lambda: source.flow(flow_id))
        if detail is None or flow_id != self.flow_id:
            return
        read = await asyncio.to_thread(reading.read, detail)
        self._shown = flow_id
        self.query_one("#side-head", Static).update(heading(detail))
        await self.query_one(Conversation).show(read)
