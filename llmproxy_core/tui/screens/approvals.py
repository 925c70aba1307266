"""Approvals: calls that wait for a person, with the time that they have left."""

from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.flows import Flow
from llmproxy_core.store.guard_rows import Approval
from llmproxy_core.tui.approval_columns import columns, is_waiting, why
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.widgets.approval_pane import ApprovalPane
from llmproxy_core.tui.widgets.table import Table

LIMIT = 200
TICK = 0.5
POLL = 10
"""Ticks until they are read again though nothing was heard."""
EMPTY = Content.assemble(
    ("No call waits.", "bold"),
    "\n\nA policy with action = \"hold\" lets calls wait for a person, for timeout_seconds; then",
    "\non_timeout decides. Whoever waits is shown here, and by:\n\n",
    ("    llmproxy approvals list", "bold $accent"),
)  # fmt: skip


class ApprovalsScreen(ModeScreen):
    MODE = "approvals"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "approve", "Approve"),
        Binding("n", "deny", "Deny"),
        Binding("N", "deny_with_reason", "Deny, say why"),
        Binding("o", "open", "Open call"),
    ]
    DEFAULT_CSS = """
    ApprovalsScreen {
        & #approvals-body { height: 1fr; layers: below above; }
        & #approvals-empty {
            layer: above; width: 100%; height: 100%; padding: 1 2; background: $background;
            color: $foreground 75%;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.approvals: list[Approval] | None = None
        self.flows: dict[UUID, Flow] = {}
        self._stale = True
        self._quiet = 0

    def body(self) -> ComposeResult:
        self.table: Table[Approval] = Table(
            columns(self.flows),
            lambda one: one.request_id,
            steady=lambda one: one.state != "waiting",
            id="approvals",
        )
        yield self.table.header
        with Container(id="approvals-body"):
            yield self.table
            yield Static(id="approvals-empty")
        yield ApprovalPane()

    def on_mount(self) -> None:
        self.table.focus()
        self.set_interval(TICK, self._tick)
        self.reload()

    # what comes in ---------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        self.reload()

    def take_update(self, update: Update) -> None:
        if update.approvals or update.overflow:
            self._stale = True
            if self.is_current:
                self.reload()

    def _tick(self) -> None:
        """The time that is left, and now and then a look at what others decided."""
        self._quiet += 1
        if not self.is_current:
            return
        if self._stale or self._quiet >= POLL:
            self.reload()
        self.table.use_glance(self.hub.glance())
        for index in self.table.rows_on_screen():
            if self.table.rows[index].state == "waiting":
                self.table.refresh_row(index)
        self.query_one(ApprovalPane).tick()
        self._tell()

    @work(exclusive=True, group="approvals")
    async def reload(self) -> None:
        source = self.hub.source
        found = await self.hub.ask(lambda: source.guard.approvals(limit=LIMIT))
        if found is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self._stale, self._quiet = False, 0
        unknown = [one.request_id for one in found if one.request_id not in self.flows]
        if unknown:
            flows = await self.hub.ask(lambda: source.flows_by_id(unknown))
            self.flows.update((flow.id, flow) for flow in flows or [])
            self.table.painter.forget()
        self.approvals = found
        self.table.use_glance(self.hub.glance())
        self.table.show(found)
        self._follow()
        self._tell()

    # what is shown ---------------------------------------------------------------------------

    def _follow(self) -> None:
        one = self.table.current
        self.query_one(ApprovalPane).follow(one, self.flows.get(one.request_id) if one else None)

    def _tell(self) -> None:
        now = self.hub.now()
        many = sum(is_waiting(one, now) for one in self.approvals or [])
        said = f" {many} call{'s' * (many != 1)} wait{'s' * (many == 1)} "
        self.note((said, "bold $background on $warning") if many else "none waits")
        empty = self.query_one("#approvals-empty", Static)
        empty.display = not self.approvals
        empty.update(EMPTY if self.approvals is not None else Content("Reading …"))

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self) -> None:
        self._follow()

    def on_table_chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (one := self.table.current) is not None:
            self.app.push_screen(DetailScreen(one.request_id, self.step, "findings"))

    def step(self, by: int) -> UUID | None:
        """The call `by` lines below; the cursor goes there, too."""
        row = self.table.step(by)
        return row.request_id if row else None

    @work(group="decide")
    async def action_approve(self) -> None:
        """Let the call under the cursor go on."""
        if (one := self._undecided()) is not None:
            await self._decide(one, approved=True)

    @work(group="decide")
    async def action_deny(self) -> None:
        """Refuse the call under the cursor."""
        if (one := self._undecided()) is not None:
            await self._decide(one, approved=False)

    @work(group="decide")
    async def action_deny_with_reason(self) -> None:
        one = self._undecided()
        if one is None:
            return
        told = "kept with the decision and in the audit"
        because = await self.app.push_screen_wait(AskScreen("Denied: why?", told))
        if because is not None:
            await self._decide(one, approved=False, because=because)

    def _undecided(self) -> Approval | None:
        one = self.table.current
        if one is None:
            return None
        if not is_waiting(one, self.hub.now()):
            self.notify(f"It waits no longer: {one.state}", severity="warning")
            return None
        return one

    async def _decide(self, one: Approval, *, approved: bool, because: str = "") -> None:
        guard = self.hub.source.guard
        if await self.hub.do(lambda: guard.decide(one.request_id, approved=approved, why=because)):
            said = "approved" if approved else "denied"
            self.notify(
                f"{said}: {why(one, self.flows.get(one.request_id))}", markup=False, timeout=3
            )
            self.llmproxy.look_for_approvals()
            self.reload()
