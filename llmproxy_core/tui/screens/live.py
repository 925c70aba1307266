"""Live: every call as it comes, the newest first."""

from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content

from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import plain
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.flow_columns import COLUMNS, columns_for
from llmproxy_core.tui.flow_list import FlowList
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.session import SessionScreen
from llmproxy_core.tui.widgets.columns import Glance
from llmproxy_core.tui.widgets.empty import EmptyState, advice
from llmproxy_core.tui.widgets.filter_line import FilterLine
from llmproxy_core.tui.widgets.side_pane import SidePane
from llmproxy_core.tui.widgets.status_bar import Status
from llmproxy_core.tui.widgets.table import Table

PAGE = 200
TICK = 0.2
SEARCH = "text:"


class LiveScreen(ModeScreen):
    MODE = "live"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("f", "follow", "Follow"),
        Binding("p,space", "pause", "Pause", key_display="p"),
        Binding("ctrl+f", "search", "Search", key_display="^f"),
        Binding("s", "session", "Session"),
        Binding("l", "only_session", "Its calls", show=False),
        Binding("v", "side", "Side pane", show=False),
        Binding("y", "copy", "Copy id", show=False),
        Binding("escape", "unfilter", "Clear filter", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.list = FlowList()
        self.where: Filter | None = None
        self.filter_text = ""
        self.follow = True
        self._growing: dict[UUID, int] = {}
        self._stale: set[UUID] = set()
        self._found: dict[UUID, str] = {}
        self._looked: set[UUID] = set()
        """Calls of which it is known whether something was found in them."""
        self._paging = False
        self._loaded = False

    def body(self) -> ComposeResult:
        self.table: Table[Flow] = Table(
            COLUMNS, lambda flow: flow.id, steady=lambda flow: flow.state != "open", id="flows"
        )
        yield FilterLine()
        yield self.table.header
        with Horizontal(id="live-wide"):
            with Container(id="live-body"):
                yield self.table
                with Container(id="live-empty"):
                    yield EmptyState()
            yield SidePane(on=False)

    def on_mount(self) -> None:
        self.table.use_glance(self.hub.glance())
        self.table.focus()
        self.set_interval(TICK, self._tick)
        self._redraw()

    # what comes in ---------------------------------------------------------------------------

    def take_update(self, update: Update) -> None:
        self._stale |= update.streamed
        if update.anomalies or update.overflow:
            self._looked.clear()
        if update.overflow:
            self.list.miss()
            self.reload()
        if update.flows:
            self.list.update(update.flows)
            for flow in update.flows:
                if flow.state != "open":
                    self._growing.pop(flow.id, None)
            self._redraw()

    def take_status(self, status: Status) -> None:
        super().take_status(status)
        self._tell()

    @work(exclusive=True, group="page")
    async def reload(self, *, to_top: bool = False) -> None:
        """Read the newest page (and what was running) from the store."""
        where, running = self.where, [flow.id for flow in self.list.running()]
        source = self.hub.source
        flows = await self.hub.ask(lambda: source.flows(limit=PAGE, where=where))
        if flows is None:
            return
        ended = await self.hub.ask(lambda: source.flows_by_id(running)) if running else []
        if to_top:
            self.list.replace(flows, exhausted=len(flows) < PAGE)
        elif self.list.paused:
            self.list.update([*flows, *(ended or [])])
        else:
            self.list.join(flows, exhausted=len(flows) < PAGE)
            self.list.update(ended or [])
        self._stale.update(flow.id for flow in flows if flow.state == "open")
        self._loaded = True
        self._redraw(to_top=to_top)

    @work(exclusive=True, group="older")
    async def load_older(self) -> None:
        """Read the page below the last line."""
        last, where, source = self.list.flows[-1].id, self.where, self.hub.source
        try:
            older = await self.hub.ask(lambda: source.flows(limit=PAGE, before=last, where=where))
        finally:
            self._paging = False
        if older is not None and self.list.flows and self.list.flows[-1].id == last:
            self.list.extend(older, exhausted=len(older) < PAGE)
            self._redraw(trim=False)

    @work(exclusive=True, group="streamed")
    async def _count_streamed(self, flows: list[Flow]) -> None:
        ids = [flow.id for flow in flows]
        counts = await self.hub.ask(lambda: self.hub.source.streamed(ids))
        self._growing.update(counts or {})

    @work(exclusive=True, group="found")
    async def _look_for_findings(self, ids: list[UUID]) -> None:
        found = await self.hub.ask(lambda: self.hub.source.guard.worst(ids))
        if found is None:
            return
        self._looked.update(ids)
        known = {id: self._found[id] for id in ids if id in self._found}
        if known != found:
            for id in known:
                del self._found[id]
            self._found.update(found)
            self.table.painter.forget()
            self.table.refresh()

    def on_table_near_end(self) -> None:
        if not self._paging and not self.list.exhausted and self.list.flows:
            self._paging = True
            self.load_older()

    # what is shown ---------------------------------------------------------------------------

    def _redraw(self, *, to_top: bool = False, trim: bool = True) -> None:
        following = self.follow and self.table.scroll_offset.y == 0
        if trim and self.table.scroll_offset.y < 500:
            self.list.trim()
        self.table.use_glance(self._glance())
        self.table.use_columns(columns_for(self.list.flows))
        self.table.show(self.list.flows, to_top=to_top or following)
        self._tell()

    def _glance(self) -> Glance:
        glance = self.hub.glance()
        glance.streamed, glance.found = self._growing, self._found
        return glance

    def _tick(self) -> None:
        """Running calls have a spinner and a clock: draw their lines again, and only those."""
        if self.list.paused or not self.is_current:
            return
        self.table.use_glance(self._glance())
        shown = self.table.rows_on_screen()
        unknown = [id for i in shown if (id := self.list.flows[i].id) not in self._looked]
        if unknown:
            self._look_for_findings(unknown)
        running = [i for i in shown if self.list.flows[i].state == "open"]
        for index in running:
            self.table.refresh_row(index)
        growing = [self.list.flows[i] for i in running if self.list.flows[i].id in self._stale]
        if growing:
            self._stale.clear()
            self._count_streamed(growing)

    def _tell(self) -> None:
        count = len(self.list)
        shown = f"{count}{'' if self.list.exhausted else '+'} call{'s' * (count != 1)}"
        shown = shown if self._loaded else ""
        if self.list.paused:
            self.note(
                (f" paused, {self.list.held} new ", "bold $background on $warning"), " ", shown
            )
        else:
            self.note(*([("● following ", "$success")] if self.follow else []), shown)
        self._tell_empty()

    def _tell_empty(self) -> None:
        overlay = self.query_one("#live-empty")
        overlay.display = not self.list.flows
        if self.list.flows:
            return
        status = self.hub.status
        if self.hub.feed.link != "up":
            text = Content.assemble(
                ("The database is not up yet, retrying", "bold $warning"),
                "\n\n",
                plain.line(self.hub.feed.problem or "connecting …", 600),
            )
        elif self.where is not None:
            text = Content("No call matches this filter. Esc clears it.")
        else:
            text = advice(status.proxy) if self._loaded else Content("Reading …")
        self.query_one(EmptyState).update(text)

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self, event: Table.Moved) -> None:
        self.follow = event.index == 0
        self._tell()
        self._show_beside()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, Flow):
            self.app.push_screen(DetailScreen(event.row.id, self.step))

    def step(self, by: int) -> UUID | None:
        """The flow `by` lines below; the cursor goes there, too."""
        flow = self.table.step(by)
        return flow.id if flow else None

    def action_follow(self) -> None:
        self.follow = not self.follow
        if self.follow:
            self.table.action_first()
        self._tell()

    def action_pause(self) -> None:
        if self.list.paused:
            self.list.resume()
            self._redraw()
            if self.list.has_missed:
                self.reload()
        else:
            self.list.paused = True
            self._tell()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_unfilter(self) -> None:
        self.query_one(FilterLine).use("")

    def filter_by(self, text: str) -> None:
        """Show what another screen asks for."""
        self.query_one(FilterLine).use(text)
        self.table.focus()

    def action_search(self) -> None:
        """Look for words in all that was said."""
        self.query_one(FilterLine).open(SEARCH)

    def action_session(self) -> None:
        if self.table.current is not None:
            flow = self.table.current
            self.app.push_screen(SessionScreen(flow.session_id, flow.id))

    def action_only_session(self) -> None:
        if self.table.current is not None:
            self.filter_by(f"session:{self.table.current.session_id}")

    def action_side(self) -> None:
        self.query_one(SidePane).toggle()
        self._show_beside()

    def _show_beside(self) -> None:
        if self.table.current is not None:
            self.query_one(SidePane).follow(self.table.current.id)

    def action_copy(self) -> None:
        if self.table.current is not None:
            self.app.copy_to_clipboard(str(self.table.current.id))
            self.notify(f"Copied {self.table.current.id}")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        if event.text == self.filter_text:
            return
        where = event.where if isinstance(event.where, Filter) else None
        self.filter_text, self.where = event.text, where
        self.list.accepts = where.matches if where else lambda _flow: True
        if self.list.paused:
            self.list.paused = False
        self.reload(to_top=True)

    def on_filter_line_closed(self) -> None:
        self.table.focus()
