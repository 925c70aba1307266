"""A plot of the difference that a variant makes, with the interval that it is surely in."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import RenderResult
from textual.color import Color
from textual.theme import Theme
from textual_plotext import PlotextPlot

from llmproxy_core.plural import counted
from llmproxy_core.tui.course import Point, reach

MARKER = "braille"
TICKS = 5
LEAST_WIDTH, LEAST_HEIGHT = 24, 6


class IntervalPlot(PlotextPlot):
    """`show` points. Above zero the variant is better; `worth`: the least effect that is wanted."""

    DEFAULT_CSS = "IntervalPlot { background: $surface; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.points: Sequence[Point] = ()
        self.worth = 0.0

    def show(self, points: Sequence[Point], worth: float) -> None:
        if (points, worth) != (self.points, self.worth):
            self.points, self.worth = points, worth
            self.refresh()

    def render(self) -> RenderResult:
        if len(self.points) < 2:
            return Text(" Nothing to plot yet: no conversation has been judged.")
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            return Text("")
        self._draw(self.app.current_theme)
        return super().render()

    def _draw(self, theme: Theme) -> None:
        plot = self.plt
        plot.clear_data()
        most = 100 * reach(self.points)
        judged = [one.judged for one in self.points]
        edge = _rgb(theme.primary)
        plot.title(f"Points of success more, after {counted(judged[-1], 'conversation')}")
        plot.plot([judged[0], judged[-1]], [0, 0], marker=MARKER, color=_rgb(theme.secondary))
        if 100 * self.worth < most:
            height = [100 * self.worth] * 2
            plot.plot([judged[0], judged[-1]], height, marker="·", color=_rgb(theme.accent))
        for values in ([one.low for one in self.points], [one.high for one in self.points]):
            plot.plot(
                judged, [_within(100 * one, most) for one in values], marker=MARKER, color=edge
            )
        middle = [_within(100 * one.difference, most) for one in self.points]
        plot.plot(judged, middle, marker=MARKER, color=_rgb(theme.success))
        plot.ylim(-most, most)
        heights = [-most + 2 * most * step / (TICKS - 1) for step in range(TICKS)]
        plot.yticks(heights, [f"{one:+.0f}" if round(one) else "0" for one in heights])
        plot.xlim(judged[0], judged[-1])
        steps = [
            judged[0] + (judged[-1] - judged[0]) * step // (TICKS - 1) for step in range(TICKS)
        ]
        plot.xticks([float(one) for one in steps], [f"{one:,}" for one in steps])


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))


def _rgb(color: str | None) -> tuple[int, int, int]:
    return Color.parse(color or "#808080").rgb
