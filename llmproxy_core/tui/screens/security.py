"""Security: what was found, the newest first; a person says what it was."""

from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.guard_rows import OPEN, Anomaly, Status
from llmproxy_core.tui import finding_filter, plain
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.finding_columns import COLUMNS
from llmproxy_core.tui.guard_words import STATUSES, Counts, counted
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.overlap import below
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.widgets.empty import nothing_found
from llmproxy_core.tui.widgets.evidence_pane import EvidencePane
from llmproxy_core.tui.widgets.filter_line import FilterLine
from llmproxy_core.tui.widgets.table import Table

PAGE = 200
MOST = 1000
"""Findings that are read again whenever something changes."""
POLL = 5.0
"""Seconds until the queue is read again though nothing was heard: others settle findings, too."""


class SecurityScreen(ModeScreen):
    MODE = "security"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "settle('acknowledged')", "Acknowledge"),
        Binding("r", "settle('resolved')", "Resolve"),
        Binding("f", "settle('false_positive')", "False positive"),
        Binding("b", "block_key", "Block key"),
        Binding("o", "open", "Open call", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("u", "undo", "Undo", show=False),
        Binding("w", "settle_with_reason", "Resolve, say why", show=False),
        Binding("s", "session", "Session", show=False),
        Binding("y", "copy", "Copy id", show=False),
        Binding("escape", "unfilter", "Clear filter", show=False),
    ]
    DEFAULT_CSS = """
    SecurityScreen {
        & #security-counts { height: 1; background: $surface; text-wrap: nowrap; }
        & #security-wide { height: 1fr; layout: vertical; }
        & #security-body { height: 1fr; width: 1fr; layers: below above; }
        & #security-empty {
            layer: above; width: 100%; height: 100%; padding: 1 2; background: $background;
            color: $foreground 75%;
        }
        &.-wide #security-wide { layout: horizontal; }
        &.-wide EvidencePane { width: 42%; height: 100%; border-top: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Anomaly] = []
        self.wanted = Queue()
        self.filter_text = ""
        self.counts: Counts = {}
        self._settled: list[tuple[Anomaly, Status]] = []
        """What was settled here, with what it was before, for `u`."""
        self._exhausted = True
        self._paging = False
        self._loaded = False
        self.refresher = Refresher(self, self._read, POLL)

    def body(self) -> ComposeResult:
        self.table: Table[Anomaly] = Table(COLUMNS, lambda one: one.id, id="findings")
        yield FilterLine(finding_filter.parse, finding_filter.EXAMPLE)
        yield Static(id="security-counts")
        with Container(id="security-wide"):
            with Vertical():
                yield self.table.header
                with Container(id="security-body"):
                    yield self.table
                    yield Static(id="security-empty")
            yield EvidencePane()

    def on_mount(self) -> None:
        self.table.use_glance(self.hub.glance())
        self.table.focus()
        self.refresher.start()

    # what comes in ---------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        self.refresher.news()

    def take_update(self, update: Update) -> None:
        if update.anomalies or update.overflow:
            self.refresher.news()

    async def _read(self) -> None:
        """As many of the queue as were there, the newest first; those below stay."""
        guard, wanted = self.hub.source.guard, self.wanted
        limit = min(max(PAGE, len(self.findings)), MOST)
        # One more tells whether there are others.
        found = await self.hub.ask(lambda: guard.anomalies(limit=limit + 1, wanted=wanted))
        counts = await self.hub.ask(guard.counts)
        if found is None or counts is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self._loaded = True
        self.counts = counts
        more, found = len(found) > limit, found[:limit]
        older = below(found, self.findings) if more else []
        self._exhausted = not more or (bool(older) and self._exhausted)
        self.findings = [*found, *older]
        self._redraw()

    @work(exclusive=True, group="older")
    async def load_older(self) -> None:
        """Read the page below the last line."""
        last, guard, wanted = self.findings[-1].id, self.hub.source.guard, self.wanted
        try:
            older = await self.hub.ask(
                lambda: guard.anomalies(limit=PAGE, before=last, wanted=wanted)
            )
        finally:
            self._paging = False
        if older is not None and self.findings and self.findings[-1].id == last:
            self.findings = [*self.findings, *older]
            self._exhausted = len(older) < PAGE
            self._redraw()

    def on_table_near_end(self) -> None:
        if not self._paging and not self._exhausted and self.findings:
            self._paging = True
            self.load_older()

    # what is shown ---------------------------------------------------------------------------

    def _redraw(self) -> None:
        self.table.use_glance(self.hub.glance())
        self.table.show(self.findings)
        self.query_one(EvidencePane).follow(self.table.current)
        self._tell()

    def _tell(self) -> None:
        count = len(self.findings)
        more = "" if self._exhausted else "+"
        self.note(f"{count}{more} finding{'s' * (count != 1)}" if self._loaded else "")
        self.query_one("#security-counts", Static).update(counted(self.counts))
        empty = self.query_one("#security-empty", Static)
        empty.display = not self.findings
        if not self.findings:
            empty.update(self._why_empty())

    def _why_empty(self) -> Content:
        if not self._loaded:
            return Content("Reading …")
        if self.filter_text:
            return Content("No finding matches this filter. Esc clears it.")
        return nothing_found(sum(n for (status, _), n in self.counts.items() if status not in OPEN))

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self) -> None:
        self.query_one(EvidencePane).follow(self.table.current)

    def on_table_chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (current := self.table.current) is not None:
            self.app.push_screen(DetailScreen(current.last_request_id, self.step, "findings"))

    def step(self, by: int) -> UUID | None:
        """The call of the finding `by` lines below; the cursor goes there, too."""
        row = self.table.step(by)
        return row.last_request_id if row else None

    @work(group="settle")
    async def action_settle(self, status: Status) -> None:
        """Say what the finding under the cursor was."""
        if (current := self.table.current) is not None and current.status != status:
            await self._settle(current, status)

    @work(group="settle")
    async def action_settle_with_reason(self) -> None:
        current = self.table.current
        if current is None:
            return
        why = await self.app.push_screen_wait(
            AskScreen("Resolved: why?", "kept with the finding and in the audit")
        )
        if why is not None:
            await self._settle(current, "resolved", why)

    async def _settle(self, one: Anomaly, status: Status, why: str = "") -> None:
        """Shown at once, so that the next key is about the next finding."""
        self.refresher.drop()  # it would show what was before
        self._show_as(one, status)
        guard = self.hub.source.guard
        if await self.hub.do(lambda: guard.settle(one.id, status, why)):
            self._settled.append((one, one.status))
            self.notify(f"{STATUSES[status]}: {plain.line(one.said, 80)}", markup=False, timeout=3)
        self.refresher.again()

    def _show_as(self, one: Anomaly, status: Status) -> None:
        kept = [replace(one, status=status)] if status in self.wanted.statuses else []
        at = [each.id for each in self.findings].index(one.id)
        self.findings = [*self.findings[:at], *kept, *self.findings[at + 1 :]]
        self._redraw()

    @work(group="settle")
    async def action_undo(self) -> None:
        """What was settled last is again what it was before."""
        if not self._settled:
            self.notify("Nothing was settled here.")
            return
        one, before = self._settled.pop()
        guard = self.hub.source.guard
        if await self.hub.do(lambda: guard.settle(one.id, before)):
            self.notify(f"{STATUSES[before]} again: {plain.line(one.said, 80)}", markup=False)
            self.refresher.again()

    @work(group="block")
    async def action_block_key(self) -> None:
        """Refuse all further calls with the key of this finding's call, once that is confirmed."""
        current, source = self.table.current, self.hub.source
        if current is None:
            return
        request = current.last_request_id
        flows = await self.hub.ask(lambda: source.flows_by_id([request]))
        key = flows[0].credential if flows else None
        if not key:
            self.notify("This call came without a key that could be blocked.", severity="warning")
            return
        sure = await self.app.push_screen_wait(
            AskScreen(
                f"Block the key {plain.line(key)}?",
                "Every call with it will be refused, until its policy is off (5 Policies).",
                sure="Enter: block it",
            )
        )
        if sure is None:
            return
        name = await self.hub.do(lambda: source.guard.block_key(key))
        if name:
            self.notify(f"{plain.line(key)} is blocked by the policy {name}", markup=False)

    def action_session(self) -> None:
        self._open_session()

    @work(group="session")
    async def _open_session(self) -> None:
        current, source = self.table.current, self.hub.source
        if current is not None:
            request = current.last_request_id
            flows = await self.hub.ask(lambda: source.flows_by_id([request]))
            if flows:
                self.llmproxy.show_session(flows[0].session_id, flows[0].id)

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_unfilter(self) -> None:
        self.query_one(FilterLine).use("")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        if event.text == self.filter_text:
            return
        self.filter_text = event.text
        self.wanted = event.where if isinstance(event.where, Queue) else Queue()
        self.findings = []
        self.refresher.again()

    def on_filter_line_closed(self) -> None:
        self.table.focus()

    def action_copy(self) -> None:
        if self.table.current is not None:
            self.app.copy_to_clipboard(str(self.table.current.id))
            self.notify(f"Copied {self.table.current.id}")
