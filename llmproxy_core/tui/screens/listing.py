"""A list of things in its own screen: what all of these have in common, and nothing of any of them."""

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from llmproxy_core.tui import plain, word_filter
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.choosing import ChooseScreen
from llmproxy_core.tui.widgets.columns import Column, Sorting
from llmproxy_core.tui.widgets.filter_line import FilterLine
from llmproxy_core.tui.widgets.table import Table
from llmproxy_core.tui.word_filter import WordFilter

AWAY = "the database is not up yet, retrying"


class ListScreen[Row](ModeScreen):
    """A screen says which rows there are, in which columns, and what is told of the chosen one.

    Rows are read again as news comes; the cursor stays on its row. `/` leaves some, `<` and `>` sort,
    `I` turns the order around, `c` chooses columns.
    """

    COLUMNS: ClassVar[tuple[Column[Any], ...]] = ()
    POLL = 6.0
    """Seconds until rows are read again though nothing was heard."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "unfilter", "Clear filter", show=False),
        Binding("less_than_sign", "sort(-1)", "Sort by the column before", show=False),
        Binding("greater_than_sign", "sort(1)", "Sort by the next column", show=False),
        Binding("I", "invert", "Turn the order around", show=False),
        Binding("c", "columns", "Columns", show=False),
        Binding("y,Y", "copy", "Copy id", show=False),
    ]
    DEFAULT_CSS = """
    ListScreen {
        & .list-body { height: 1fr; layers: below above; }
        & .list-empty {
            layer: above; width: 100%; height: 100%; padding: 1 2; background: $background;
            & > Static { width: 100%; max-width: 96; color: $foreground 75%; }
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] | None = None
        """All of them, None until they are read."""
        self.refresher = Refresher(self, self._read, self.POLL)
        self._where = WordFilter()
        self._sorting: Sorting[Row] = Sorting()
        self._hidden: set[str] = set()
        self._away = False

    # what a screen says of its own ------------------------------------------------------------

    @abstractmethod
    def read(self) -> list[Row]:
        """All rows. Blocks, is called in a thread."""

    @abstractmethod
    def key(self, row: Row) -> Hashable:
        """What a row is called; it is also what `y` copies."""

    @abstractmethod
    def words(self, row: Row) -> str:
        """In which the filter looks."""

    @abstractmethod
    def told(self, rows: Sequence[Row]) -> str | tuple[str, str]:
        """About all rows, for the top line."""

    @abstractmethod
    def nothing(self) -> Content:
        """Where there are none: how they come."""

    def pane(self) -> Iterator[Widget]:
        """Below the list."""
        yield from ()

    def follow(self, row: Row | None) -> None:
        """The cursor is on this row, of which there may be news."""

    def heard(self, update: Update) -> bool:
        """Is the news about these rows?"""
        return update.learning

    # what comes in ---------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        self.table: Table[Row] = Table(self.COLUMNS, self.key, id="list")
        yield FilterLine(word_filter.parse, word_filter.EXAMPLE)
        yield self.table.header
        with Container(classes="list-body"):
            yield self.table
            with Container(classes="list-empty"):
                yield Static()
        for pane in self.pane():
            yield pane.add_class("list-pane")

    def on_mount(self) -> None:
        self.table.focus()
        self.refresher.start()

    def on_screen_resume(self) -> None:
        self.reload()

    def take_update(self, update: Update) -> None:
        if self.heard(update) or update.overflow:
            self.refresher.news()

    def reload(self) -> None:
        self.refresher.again()

    async def _read(self) -> None:
        found = await self.hub.ask(self.read)
        self._away = found is None
        if found is not None:
            self.rows = found
        self.draw()

    # what is shown ---------------------------------------------------------------------------

    def draw(self) -> None:
        self.table.use_glance(self.hub.glance())
        self.table.show(self._sorting.sort(self._chosen()))
        self._tell()
        self.follow(self.table.current)

    def _chosen(self) -> list[Row]:
        rows = self.rows or []
        if self._where == WordFilter():
            return rows
        return [row for row in rows if self._where.matches(self.words(row))]

    def _tell(self) -> None:
        shown, rows = len(self.table.rows), self.rows or []
        part = f"{shown:,} of " if shown != len(rows) else ""
        if self._away:
            self.note((AWAY, "$warning"))
        else:
            self.note(part, self.told(rows) if rows else "")
        empty = self.query_one(".list-empty")
        empty.display = not shown
        self.query(".list-pane").set(display=bool(rows))
        if not shown:
            empty.query_one(Static).update(self._why_empty())

    def _why_empty(self) -> Content:
        if self.rows:
            return Content("Nothing in this list matches the filter. Esc clears it.")
        if self.rows is None:
            return Content(f"{AWAY.capitalize()} …" if self._away else "Reading …")
        return self.nothing()

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self) -> None:
        self.follow(self.table.current)

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_unfilter(self) -> None:
        self.query_one(FilterLine).use("")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        where = event.where if isinstance(event.where, WordFilter) else WordFilter()
        if where != self._where:
            self._where = where
            self.draw()

    def on_filter_line_closed(self) -> None:
        self.table.focus()

    def action_sort(self, by: int) -> None:
        """By the next column that can be sorted by; before the first one, as they are read."""
        self._sorting = self._sorting.turned(self.shown_columns(), by)
        self._sort()

    def action_invert(self) -> None:
        self._sorting = self._sorting.inverted()
        self._sort()

    def _sort(self) -> None:
        self.table.use_sorting(self._sorting)
        self.draw()
        self.notify(self._sorting.said, timeout=2, markup=False)

    def columns(self) -> Sequence[Column[Row]]:
        """Those that there are."""
        return self.COLUMNS

    def shown_columns(self) -> list[Column[Row]]:
        return [column for column in self.columns() if column.title not in self._hidden]

    @work(group="columns")
    async def action_columns(self) -> None:
        """Which columns there are; those that have no room are left out all the same."""
        titles = [column.title for column in self.columns() if column.rank]
        shown = {title for title in titles if title not in self._hidden}
        chosen = await self.app.push_screen_wait(ChooseScreen("Columns", titles, shown))
        if chosen is not None:
            self._hidden = set(titles) - chosen
            self.table.use_columns(self.shown_columns())

    @property
    def is_arranged(self) -> bool:
        """Are rows left out, or in another order than they come in?"""
        return self._where != WordFilter() or self._sorting.by is not None

    def action_copy(self) -> None:
        """Copy what the row under the cursor is called by."""
        if (row := self.table.current) is not None:
            text = str(self.key(row))
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {plain.line(text)}", markup=False)
