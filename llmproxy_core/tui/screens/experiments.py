"""Experiments: what is tried on conversations, how it goes, and how sure that is."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from textual.content import Content
from textual.widget import Widget

from llmproxy_core.store.experiments import StoredExperiment
from llmproxy_core.tui.experiment_columns import COLUMNS, STATUSES
from llmproxy_core.tui.screens.experiment import ExperimentScreen
from llmproxy_core.tui.screens.experiment_steps import ExperimentSteps
from llmproxy_core.tui.screens.listing import ListScreen
from llmproxy_core.tui.widgets.experiment_pane import ExperimentPane

LIMIT = 200
BREAKPOINTS = [(0, "-narrow"), (120, "-medium"), (160, "-wide")]
"""Columns from which on there is room for a plot beside the words."""
EMPTY = Content.assemble(
    ("No experiments yet.", "bold"),
    "\n\nAn experiment gives half of a pattern's conversations a change and tells whether they succeed ",
    "more often; what harms is rolled back by itself. Approve a suggestion (8): its experiment begins.\n\n",
    ("    llmproxy experiments list", "bold $accent"),
)


class ExperimentsScreen(ExperimentSteps, ListScreen[StoredExperiment]):
    MODE = "experiments"
    COLUMNS = COLUMNS
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    DEFAULT_CSS = """
    ExperimentsScreen {
        &.-narrow ExperimentPane IntervalPlot { display: none; }
        &.-medium ExperimentPane VerticalScroll { min-width: 72; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted: UUID | None = None

    def read(self) -> list[StoredExperiment]:
        return self.hub.source.learning.experiments(limit=LIMIT)

    def key(self, row: StoredExperiment) -> UUID:
        return row.id

    def words(self, row: StoredExperiment) -> str:
        return f"{STATUSES[row.one.status][0]} {row.one.name} {row.pattern}"

    def told(self, rows: Sequence[StoredExperiment]) -> str:
        running = sum(one.one.status == "running" for one in rows)
        won = sum(one.one.status == "won" for one in rows)
        waits = f", {won} won and wait{'s' * (won == 1)}" if won else ""
        return f"{running} running{waits}"

    def nothing(self) -> Content:
        return EMPTY

    def pane(self) -> Iterator[Widget]:
        yield ExperimentPane()

    def follow(self, row: StoredExperiment | None) -> None:
        self.query_one(ExperimentPane).follow(row)

    def go_to(self, id: UUID) -> None:
        """Put the cursor on an experiment, as soon as it is read."""
        self._wanted = id
        self.reload()

    def draw(self) -> None:
        super().draw()
        ids = [one.id for one in self.table.rows]
        if self._wanted is not None and self._wanted in ids:
            wanted, self._wanted = self._wanted, None
            self.table.move(ids.index(wanted))

    # what a person does ----------------------------------------------------------------------

    def chosen(self) -> StoredExperiment | None:
        return self.table.current

    def on_table_chosen(self) -> None:
        if (line := self.table.current) is not None:
            self.app.push_screen(ExperimentScreen(line))
