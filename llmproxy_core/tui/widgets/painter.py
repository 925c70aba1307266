"""Rows painted as lines: columns fitted to the width, cells in their tones."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from llmproxy_core.tui.widgets.columns import Column, Glance, Layout, Sorting, Tone, fit, padded

TONES: tuple[Tone, ...] = (
    "text",
    "dim",
    "faint",
    "strong",
    "good",
    "warn",
    "bad",
    "busy",
    "accent",
    "second",
    "header",
)
KEPT_STRIPS = 500
MARK = "▌"
PLAIN = Style()


class RowPainter[Row]:
    """`paint` a row in `width` cells.

    Lines of `steady` rows, whose cells do not depend on the glance, are kept; a row that changed
    is another object.
    """

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        steady: Callable[[Row], bool],
    ) -> None:
        self.columns = columns
        self.key = key
        self.steady = steady
        self.glance = Glance()
        self.sorting: Sorting[Row] = Sorting()
        self.marked: set[Hashable] = set()
        """Keys of rows that have a mark before them."""
        self.tones: Mapping[str, Style] = dict.fromkeys(TONES, PLAIN)
        self.layout: Layout[Row] = []
        self._width = 0
        self._kept: dict[Hashable, tuple[Row, Strip]] = {}

    def use_columns(self, columns: Sequence[Column[Row]]) -> None:
        self.columns = columns
        self._fit()

    def use_width(self, width: int) -> None:
        """`width` is that of the whole line, scrollbar excluded."""
        self._width = width
        self._fit()

    def use_tones(self, tones: Mapping[str, Style]) -> None:
        self.tones = tones
        self._kept.clear()

    def forget(self) -> None:
        """Paint all rows anew: their cells say something else, though they are the same."""
        self._kept.clear()

    def _fit(self) -> None:
        self._kept.clear()
        self.layout = fit(self.columns, max(1, self._width - 2))

    def titles(self, style: Style, sorted_by: Style) -> Strip:
        """The line above the rows."""
        segments = [Segment(" ", style)]
        for column, cells in self.layout:
            here = column is self.sorting.by
            title = self._sorted(column.title, cells) if here else column.title
            title = padded(title, cells, column.right)
            segments += [Segment(title, sorted_by if here else style), Segment(" ", style)]
        return Strip(segments).simplify().adjust_cell_length(self._width, style)

    def _sorted(self, title: str, cells: int) -> str:
        """With the direction, where that has room."""
        told = f"{title}{'▼' if self.sorting.falling else '▲'}"
        return told if len(told) <= cells else title

    def paint(self, row: Row) -> Strip:
        if not self.steady(row):
            return self.paint_over(row, PLAIN)
        key = self.key(row)
        known = self._kept.get(key)
        if known is not None and known[0] is row:
            return known[1]
        if len(self._kept) > KEPT_STRIPS:
            self._kept.clear()
        strip = self.paint_over(row, PLAIN)
        self._kept[key] = (row, strip)
        return strip

    def paint_over(self, row: Row, over: Style) -> Strip:
        """`over` is painted over the tones: the cursor's ground."""
        tones, glance = self.tones, self.glance
        space = tones["text"] + over
        marked = bool(self.marked) and self.key(row) in self.marked
        segments = [Segment(MARK, tones["accent"] + over) if marked else Segment(" ", space)]
        for column, cells in self.layout:
            text, tone = column.cell(row, glance)
            segments.append(Segment(padded(text, cells, column.right), tones[tone] + over))
            segments.append(Segment(" ", space))
        return Strip(segments).adjust_cell_length(self._width, space)
