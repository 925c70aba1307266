"""One experiment: its interval as it narrows, and the conversations in it."""

import asyncio
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static

from llmproxy_core.store.experiments import StoredExperiment, Unit
from llmproxy_core.tui import course, experiment_words
from llmproxy_core.tui.experiment_columns import UNITS, best
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.experiment_steps import ExperimentSteps
from llmproxy_core.tui.widgets.interval_plot import IntervalPlot
from llmproxy_core.tui.widgets.table import Table

LIMIT = 500
POINTS = 100


class ExperimentScreen(ExperimentSteps):
    HELP = "Experiments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("v", "variant", "Next variant", show=False),
    ]
    DEFAULT_CSS = """
    ExperimentScreen {
        & > #experiment-head { height: 2; background: $panel; text-wrap: nowrap; }
        & > IntervalPlot { height: 45%; }
    }
    """

    def __init__(self, line: StoredExperiment) -> None:
        super().__init__()
        self.line = line
        self.variant = best(line)
        self.refresher = Refresher(self, self._read)

    def compose(self) -> ComposeResult:
        self.table: Table[Unit] = Table(UNITS, lambda one: one.root, id="units")
        yield Static(id="experiment-head", markup=False)
        yield IntervalPlot()
        yield self.table.header
        yield self.table
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.table.focus()
        self.hub.updates.subscribe(self, self.take_update)
        self.refresher.start()

    def take_update(self, update: Update) -> None:
        if update.learning or update.overflow:
            self.refresher.news()

    def reload(self) -> None:
        self.refresher.again()

    async def _read(self) -> None:
        learning, line, hub = self.hub.source.learning, self.line, self.hub
        found = await hub.ask(lambda: learning.experiments_by_id([line.id]))
        line = found[0] if found else line
        arms = await hub.ask(lambda: learning.arms(line.ns_id, line.id))
        units = await hub.ask(lambda: learning.units(line.ns_id, line.id, limit=LIMIT))
        judged = await hub.ask(lambda: learning.judged(line.ns_id, line.id)) or []
        points = await asyncio.to_thread(course.points, judged, line.one, self.variant, POINTS)
        self.line = line
        head = experiment_words.course_head(line, self.variant, arms or {})
        self.query_one("#experiment-head", Static).update(head)
        self.query_one(IntervalPlot).show(points, line.one.min_effect)
        self.table.use_glance(hub.glance())
        self.table.show(units or [])

    # what a person does ----------------------------------------------------------------------

    def chosen(self) -> StoredExperiment | None:
        return self.line

    def action_variant(self) -> None:
        """Plot the next variant."""
        names = [one.name for one in self.line.one.variants]
        self.variant = names[(names.index(self.variant) + 1) % len(names)]
        self.reload()

    def on_table_chosen(self) -> None:
        if (one := self.table.current) is not None:
            self.app.push_screen(DetailScreen(one.first_request_id, self.step, "learnt"))

    def step(self, by: int) -> UUID | None:
        """The first call of the conversation `by` lines below; the cursor goes there, too."""
        row = self.table.step(by)
        return row.first_request_id if row else None
