"""The find line: Enter goes to the next place, Esc closes."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FindInput(Input):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def action_close(self) -> None:
        self.post_message(FindLine.Closed())


class FindLine(Horizontal):
    DEFAULT_CSS = """
    FindLine {
        height: 1; display: none; background: $surface;
        &.-open { display: block; }
        & > Static { width: 7; padding: 0 1; color: $primary; text-style: bold; }
        & > FindInput { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    }
    """

    @dataclass
    class Wanted(Message):
        words: str

    class Closed(Message):
        """The person is done."""

    def compose(self) -> ComposeResult:
        yield Static("Find")
        yield FindInput(placeholder="words; Enter: the next place, Esc: close", compact=True)

    def open(self) -> None:
        self.add_class("-open")
        self.query_one(FindInput).focus()

    def on_find_line_closed(self) -> None:
        self.remove_class("-open")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self.post_message(self.Wanted(event.value))
