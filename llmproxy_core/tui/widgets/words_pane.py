"""Words that may be longer than the screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class WordsPane(VerticalScroll, can_focus=True):
    DEFAULT_CSS = """
    WordsPane {
        height: 1fr; padding: 0 1; background: $background; scrollbar-size-vertical: 1;
        & > Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
        Binding("space", "page_down", "Page down", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, words: Content) -> None:
        self.query_one(Static).update(words)

    def text(self) -> str:
        shown = self.query_one(Static).content
        return shown.plain if isinstance(shown, Content) else str(shown)


class ToldPane(WordsPane, can_focus=False):
    """Below a list, of the row under its cursor."""

    DEFAULT_CSS = "ToldPane { height: 45%; min-height: 5; border-top: solid $foreground 20%; }"
