"""The filter line: opens with `/`, says what is wrong while one types, Enter keeps, Esc clears."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store import filters
from llmproxy_core.tui import plain

EXAMPLE = "model:opus status:>=400 cost:>0.1 -client:curl some words"


class FilterInput(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", show=True),
        Binding("down", "leave", "Table", show=False),
    ]

    def action_clear(self) -> None:
        self.value = ""
        self.post_message(self.Submitted(self, ""))

    def action_leave(self) -> None:
        self.post_message(self.Submitted(self, self.value))


class FilterLine(Horizontal):
    """Posts `Changed` only with filters that can be read; None: everything."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1; display: none; background: $surface;
        &.-open { display: block; }
        & > #filter-sign { width: 9; padding: 0 1; color: $primary; text-style: bold; }
        & > FilterInput { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & > #filter-error {
            width: auto; max-width: 50%; padding: 0 1; color: $error; text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """

    @dataclass
    class Changed(Message):
        text: str
        where: filters.Filter | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterLine.Changed)

    class Closed(Message):
        """The person is done: the table has the keyboard again."""

    def compose(self) -> ComposeResult:
        yield Static("Filter", id="filter-sign")
        yield FilterInput(placeholder=EXAMPLE, compact=True, select_on_focus=False)
        yield Static("", id="filter-error", markup=False)

    @property
    def input(self) -> FilterInput:
        return self.query_one(FilterInput)

    def open(self) -> None:
        self.add_class("-open")
        self.input.focus()
        self.input.cursor_position = len(self.input.value)

    def use(self, text: str) -> None:
        """Set the filter from elsewhere (another screen)."""
        self.input.value = text
        self.set_class(bool(text), "-open")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        error = self.query_one("#filter-error", Static)
        text = event.value.strip()
        try:
            where = filters.parse(text) if text else None
        except LlmproxyError as exc:
            error.update(plain.line(str(exc)))
            return
        error.update("")
        self.post_message(self.Changed(text, where))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.input.value.strip():
            self.remove_class("-open")
        self.post_message(self.Closed())

    def on_click(self, event: events.Click) -> None:
        self.input.focus()
