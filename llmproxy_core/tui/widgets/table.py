"""A table that draws only the lines on screen and keeps its place while rows come and go."""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from llmproxy_core.tui.widgets.columns import Column, Glance, Sorting
from llmproxy_core.tui.widgets.painter import TONES, RowPainter


class Table[Row](ScrollView, can_focus=True, inherit_bindings=False):
    """Rows as lines. `key` names a row: the cursor stays on its row wherever that moves to.

    `steady`: the cells of this row do not depend on the `glance`, so its line is drawn once.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--cursor",
        "table--hover",
        "table--sorted",
        *(f"table--{tone}" for tone in TONES),
    }
    DEFAULT_CSS = """
    Table {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        overflow-y: scroll;
        background: $background;
        & > .table--text { color: $foreground; }
        & > .table--strong { color: $foreground; text-style: bold; }
        & > .table--dim { color: $foreground 70%; }
        & > .table--faint { color: $foreground 45%; }
        & > .table--good { color: $success; }
        & > .table--warn { color: $warning; }
        & > .table--bad { color: $error; }
        & > .table--busy { color: $primary; }
        & > .table--accent { color: $accent; }
        & > .table--second { color: $secondary; }
        & > .table--header { color: $foreground 60%; background: $panel; text-style: bold; }
        & > .table--sorted { color: $background; background: $primary; text-style: bold; }
        & > .table--cursor { background: $primary 22%; }
        & > .table--hover { background: $foreground 6%; }
        &:focus > .table--cursor { background: $primary 35%; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("enter", "choose", "Open", key_display="Enter"),
    ]

    cursor: reactive[int] = reactive(0)
    hovered: reactive[int] = reactive(-1)

    @dataclass
    class Chosen(Message):
        """Enter or a double click on a row."""

        table: "Table[object]"
        row: object

        @property
        def control(self) -> Widget:
            return self.table

    @dataclass
    class Moved(Message):
        """The cursor was moved by a person (not by rows that arrived)."""

        table: "Table[object]"
        index: int

        @property
        def control(self) -> Widget:
            return self.table

    class NearEnd(Message):
        """The last rows have come into view."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Table.NearEnd)

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        steady: Callable[[Row], bool] = lambda _row: False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.key = key
        self.rows: Sequence[Row] = []
        self.painter = RowPainter(columns, key, steady)
        self.header = TableHeader(self)
        self._tones: dict[str, Style] | None = None
        self._place: tuple[Hashable, Hashable] = (None, None)

    # rows ------------------------------------------------------------------------------------

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Row], *, to_top: bool = False) -> None:
        """Replace the rows. The cursor and the view stay with the rows they were on.

        Args:
            to_top: show the newest (first) row instead.
        """
        cursor_key, top_key = self._place
        top = self.scroll_offset.y
        self.rows = rows
        self._measure()
        if to_top or not rows:
            new_cursor, new_top = 0, 0
        else:
            new_cursor = self._find(cursor_key, self.cursor)
            new_top = self._find(top_key, top)
        self.set_reactive(Table.cursor, new_cursor)
        if new_top != top:
            self.scroll_to(y=new_top, animate=False)
        self._mark_place()
        self.refresh()

    def _measure(self) -> None:
        """Tell the scrollbar how many rows there are.

        Setting `virtual_size` the usual way would lay the whole screen out again for every row
        that arrives; the scrollbar is always there, so nothing else can have moved.
        """
        self.set_reactive(Table.virtual_size, Size(self.size.width, len(self.rows)))
        bar = self.vertical_scrollbar
        bar.window_virtual_size, bar.window_size = len(self.rows), self.size.height
        bar.refresh()
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def _find(self, key: Hashable, otherwise: int) -> int:
        if key is not None:
            for index, row in enumerate(self.rows):
                if self.key(row) == key:
                    return index
        return max(0, min(otherwise, len(self.rows) - 1))

    def _mark_place(self) -> None:
        """Remember by name what the cursor and the top line are on, for the next `show`."""
        top = self.scroll_offset.y
        current = self.current
        self._place = (
            self.key(current) if current is not None else None,
            self.key(self.rows[top]) if top < len(self.rows) else None,
        )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._mark_place()
            if self.rows_on_screen().stop > len(self.rows) - 2 * self.size.height:
                self.post_message(self.NearEnd())

    # cursor ----------------------------------------------------------------------------------

    def validate_cursor(self, value: int) -> int:
        return max(0, min(value, len(self.rows) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_lines(old)
        self.refresh_lines(new)
        self._mark_place()

    def move(self, index: int) -> None:
        """Put the cursor on a row and bring it into view, as a person does."""
        self.cursor = index
        height = max(1, self.size.height)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)
        self.post_message(self.Moved(self, self.cursor))  # type: ignore[arg-type]

    def step(self, by: int) -> Row | None:
        """The row `by` lines below, where the cursor goes, too; None: there is none."""
        index = self.cursor + by
        if not 0 <= index < len(self.rows):
            return None
        self.move(index)
        return self.rows[index]

    def action_cursor(self, step: int) -> None:
        self.move(self.cursor + step)

    def action_page(self, step: int) -> None:
        self.move(self.cursor + step * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.move(0)

    def action_last(self) -> None:
        self.move(len(self.rows) - 1)

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))  # type: ignore[arg-type]

    # mouse -----------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self.rows):
            self.move(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.hovered = event.y + self.scroll_offset.y

    def on_leave(self) -> None:
        self.hovered = -1

    def watch_hovered(self, old: int, new: int) -> None:
        if old != new:
            self.refresh_lines(old)
            self.refresh_lines(new)

    # drawing ---------------------------------------------------------------------------------

    def use_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Other columns for the same rows."""
        if columns != self.painter.columns:
            self.painter.use_columns(columns)
            self.refresh()
            self.header.refresh()

    def use_sorting(self, sorting: Sorting[Row]) -> None:
        """What the titles tell of the order of the rows."""
        self.painter.sorting = sorting
        self.header.refresh()

    def mark(self, keys: Collection[Hashable]) -> None:
        """These rows have a mark before them."""
        if keys != self.painter.marked:
            self.painter.marked = set(keys)
            self.painter.forget()
            self.refresh()

    def use_glance(self, glance: Glance) -> None:
        """What cells see beside their rows, from the next drawing on."""
        self.painter.glance = glance

    def on_resize(self) -> None:
        self.painter.use_width(self.size.width)
        self._measure()
        self.refresh()
        self.header.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones = None
        self.header.refresh()

    @property
    def tones(self) -> dict[str, Style]:
        """The styles of the theme in force."""
        if self._tones is None:
            tones: dict[str, Style] = {
                tone: self.get_component_rich_style(f"table--{tone}") for tone in TONES
            }
            tones["sorted"] = self.get_component_rich_style("table--sorted")
            for name in ("cursor", "hover"):
                style = self.get_component_rich_style(f"table--{name}")
                tones[name] = Style(bgcolor=style.bgcolor, bold=style.bold or None)
            self._tones = tones
            self.painter.use_tones(tones)
        return self._tones

    def rows_on_screen(self) -> range:
        """The indexes of the rows on screen."""
        top = self.scroll_offset.y
        return range(top, min(len(self.rows), top + self.size.height))

    def refresh_row(self, index: int) -> None:
        if index in self.rows_on_screen():
            self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        tones = self.tones
        if not 0 <= index < len(self.rows):
            return Strip.blank(self.size.width, tones["text"])
        if index == self.cursor:
            return self.painter.paint_over(self.rows[index], tones["cursor"])
        if index == self.hovered:
            return self.painter.paint_over(self.rows[index], tones["hover"])
        return self.painter.paint(self.rows[index])


class TableHeader[Row](Widget):
    """The titles of a table's columns, in one line above it."""

    DEFAULT_CSS = "TableHeader { height: 1; background: $panel; }"

    def __init__(self, table: Table[Row]) -> None:
        super().__init__()
        self.table = table

    def render_line(self, y: int) -> Strip:
        tones = self.table.tones
        return self.table.painter.titles(tones["header"], tones["sorted"])
