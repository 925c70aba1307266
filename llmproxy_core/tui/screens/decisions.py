"""What a policy decided, the newest first."""

from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, Static

from llmproxy_core.plural import counted
from llmproxy_core.store.guard_rows import PolicyDecision
from llmproxy_core.tui import figures, guard_words, plain
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance
from llmproxy_core.tui.widgets.table import Table

LIMIT = 500


def _outcome(one: PolicyDecision, _: Glance) -> Cell:
    return Cell(guard_words.outcome(one), "dim" if one.mode == "shadow" else "warn")


COLUMNS: tuple[Column[PolicyDecision], ...] = (
    Column(
        "Time", 12, 0, lambda one, glance: Cell(figures.moment(one.at, glance.now, glance.zone))
    ),
    Column("Mode", 6, 2, lambda one, _: Cell(plain.line(one.mode), "dim")),
    Column("Outcome", 14, 1, _outcome, grow=1, most=22),
    Column("Space", 8, 4, lambda one, _: Cell(plain.line(one.namespace), "second"), most=14),
    Column("Why", 30, 3, lambda one, _: Cell(plain.line(one.why), "dim"), grow=6),
)


class DecisionsScreen(HubScreen):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
    ]
    DEFAULT_CSS = "DecisionsScreen > #decisions-head { height: 1; background: $panel; }"

    def __init__(self, policy: str) -> None:
        super().__init__()
        self.policy = policy
        self.refresher = Refresher(self, self._read)

    def compose(self) -> ComposeResult:
        self.table: Table[PolicyDecision] = Table(COLUMNS, lambda one: one.id, id="decisions")
        yield Static(id="decisions-head")
        yield self.table.header
        yield self.table
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.table.focus()
        self.hub.updates.subscribe(self, self.take_update)
        self.refresher.start()

    def take_update(self, update: Update) -> None:
        if update.flows or update.overflow:
            self.refresher.news()

    async def _read(self) -> None:
        guard, name = self.hub.source.guard, self.policy
        found = await self.hub.ask(lambda: guard.decisions(name, limit=LIMIT))
        if found is None:
            return
        self.table.use_glance(self.hub.glance())
        self.table.show(found)
        more = " or more" if len(found) == LIMIT else ""
        told = (
            f"applied {counted(len(found), 'time')}{more}"
            if found
            else "has not applied to any call yet"
        )
        head = Content.assemble((f" {plain.line(name)} ", "bold"), (f" {told}", "$secondary"))
        self.query_one("#decisions-head", Static).update(head)

    def on_table_chosen(self) -> None:
        if self.table.current is not None:
            self.app.push_screen(DetailScreen(self.table.current.request_id, self.step, "findings"))

    def step(self, by: int) -> UUID | None:
        """The call of the decision `by` lines below; the cursor goes there, too."""
        row = self.table.step(by)
        return row.request_id if row else None
