"""The experiment under the cursor: its arms, its verdict so far, and the plot of its interval."""

import asyncio
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.experiments import Arm, StoredExperiment
from llmproxy_core.tui import course, experiment_words
from llmproxy_core.tui.experiment_columns import best
from llmproxy_core.tui.widgets.interval_plot import IntervalPlot
from llmproxy_core.tui.widgets.resting_pane import RestingPane

if TYPE_CHECKING:  # with numpy, which others do not need
    from llmproxy_core.experiments.verdict import Verdict

POINTS = 60
"""Of the plot."""


def verdict(line: StoredExperiment) -> "Verdict":
    """What its outcomes say now: some ms of work, done in a thread."""
    from llmproxy_core.experiments.verdict import Judge  # with numpy, which others do not need

    return Judge(line.one).verdict(line.tally)


class ExperimentPane(RestingPane):
    """`follow` an experiment."""

    DEFAULT_CSS = """
    ExperimentPane {
        height: 60%;
        & > Horizontal { height: 1fr; }
        & VerticalScroll { width: 1fr; scrollbar-size-vertical: 1; & > Static { height: auto; } }
        & IntervalPlot { width: 1fr; margin: 0 0 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.shown: StoredExperiment | None = None
        self.verdict: Verdict | None = None
        self.arms: dict[str, Arm] = {}
        self._known: StoredExperiment | None = None
        """What verdict and plot are of."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            with VerticalScroll(can_focus=False):
                self._said = Static(markup=False)
                yield self._said
            self._plot = IntervalPlot()
            yield self._plot

    def follow(self, line: StoredExperiment | None) -> None:
        """Show what is known at once; verdict and plot as soon as the cursor rests."""
        same = line is not None and self.shown is not None and line.id == self.shown.id
        if not same:
            self.verdict, self.arms, self._known = None, {}, None
            self._plot.show((), 0.0)
        self.shown = line
        self._draw()
        if line is None or line != self._known:
            self.at_rest(None if line is None else self._read, news=same)

    @property
    def room(self) -> int:
        return (self.query_one(VerticalScroll).size.width or self.app.size.width) - 2

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        said = Content("")
        if self.shown is not None:
            now, zone = self.hub.now(), self.hub.zone
            said = experiment_words.pane(self.shown, self.verdict, self.arms, now, zone, self.room)
        self._said.update(said)

    async def _read(self) -> None:
        line, learning = self.shown, self.hub.source.learning
        if line is None:
            return
        said = await asyncio.to_thread(verdict, line)
        arms = await self.hub.ask(lambda: learning.arms(line.ns_id, line.id))
        units = await self.hub.ask(lambda: learning.judged(line.ns_id, line.id)) or []
        points = await asyncio.to_thread(course.points, units, line.one, best(line), POINTS)
        if self.shown is not None and self.shown.id == line.id:
            self.verdict, self.arms, self._known = said, arms or {}, line
            self._draw()
            self._plot.show(points, line.one.min_effect)
