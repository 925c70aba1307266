"""Events: what happened beside the calls, as sentences."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmproxy_core.store.call_rows import EventRow
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.sentences import sentence
from llmproxy_core.tui.widgets.columns import Cell, Column
from llmproxy_core.tui.widgets.table import Table

LIMIT = 500

COLUMNS: tuple[Column[EventRow], ...] = (
    Column(
        "Time", 12, 0, lambda e, glance: Cell(figures.moment(e.at, glance.now, glance.zone), "dim")
    ),
    Column("Kind", 13, 2, lambda e, _: Cell(plain.line(e.kind), sentence(e).tone)),
    Column("What happened", 64, 1, lambda e, _: Cell(*sentence(e)), grow=1),
)


class EventsScreen(ModeScreen):
    MODE = "events"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy"),
    ]

    def body(self) -> ComposeResult:
        self.table: Table[EventRow] = Table(COLUMNS, lambda event: event.id, id="events")
        yield self.table.header
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()
        self.reload()

    def take_update(self, update: Update) -> None:
        if update.events:
            self.reload()

    @work(exclusive=True, group="events")
    async def reload(self) -> None:
        source = self.hub.source
        events = await self.hub.ask(lambda: source.events(limit=LIMIT))
        if events is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self.table.use_glance(self.hub.glance())
        self.table.show(events)
        count = len(events)
        self.note(
            f"{count}{'+' if count == LIMIT else ''} event{'s' * (count != 1)}"
            if count
            else "nothing happened yet"
        )

    def on_table_chosen(self, event: Table.Chosen) -> None:
        row = event.row
        if not isinstance(row, EventRow):
            return
        if row.request_id is not None:
            self.app.push_screen(DetailScreen(row.request_id))
        else:
            facts = "\n".join(
                f"{plain.line(k)}: {plain.line(str(v), 2000)}" for k, v in row.data.items()
            )
            self.notify(
                facts or "no more is known", title=plain.line(row.kind), markup=False, timeout=15
            )

    def action_copy(self) -> None:
        if self.table.current is not None:
            self.app.copy_to_clipboard(sentence(self.table.current).text)
            self.notify("Copied")
