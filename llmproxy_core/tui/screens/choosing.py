"""A question with several answers: Space takes one or leaves it, Enter is done, Esc changes nothing."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection


class Choices(SelectionList[str]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Take it or leave it", show=False),
        Binding("enter", "screen.done", "Done", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]


class ChooseScreen(ModalScreen[set[str] | None]):
    """Gives those that are chosen of `names`; None: Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,c", "dismiss", "No")]
    DEFAULT_CSS = """
    ChooseScreen { align: center middle; background: $background 60%; }
    ChooseScreen > Vertical {
        width: 40; max-width: 100%; height: auto; max-height: 100%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary;
        & > Choices, & > Choices:focus {
            height: auto; max-height: 20; border: none; padding: 0; background: $surface;
            scrollbar-size-vertical: 1;
        }
        & > Static { height: 1; margin: 1 0 0 0; }
    }
    """

    def __init__(self, title: str, names: Sequence[str], chosen: Collection[str]) -> None:
        super().__init__()
        self.title_of_it = title
        self.names = names
        self.chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self.title_of_it
            yield Choices(*(Selection(name, name, name in self.chosen) for name in self.names))
            yield Static(Content.styled("Space: show or hide   Enter: done", "$accent"))

    def action_done(self) -> None:
        self.dismiss(set(self.query_one(Choices).selected))
