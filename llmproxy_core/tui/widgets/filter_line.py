"""The filter line: opens with `/`, says what is wrong while one types, Enter keeps, Esc clears."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store import filters
from llmproxy_core.tui import plain

EXAMPLE = "model:opus status:>=400 cost:>0.1 -client:curl some words"


REST_SECONDS = 0.25


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
    """Posts `Changed` only with filters that can be read; None: nothing was typed.

    `read`: makes a filter of a text, raises LlmproxyError; `example`: what may be typed.
    """

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
        where: object

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterLine.Changed)

    class Closed(Message):
        """The person is done: the table has the keyboard again."""

    def __init__(
        self, read: Callable[[str], object] = filters.parse, example: str = EXAMPLE
    ) -> None:
        super().__init__()
        self._parse = read
        self._example = example
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static("Filter", id="filter-sign")
        yield FilterInput(placeholder=self._example, compact=True, select_on_focus=False)
        yield Static("", id="filter-error", markup=False)

    @property
    def input(self) -> FilterInput:
        return self.query_one(FilterInput)

    def open(self, begin: str = "") -> None:
        """`begin`: how a new term begins, behind those that are there."""
        self.add_class("-open")
        self.input.focus()
        if begin and begin not in self.input.value.split(" ")[-1]:
            self.input.value = f"{self.input.value.rstrip()} {begin}".lstrip()
        self.input.cursor_position = len(self.input.value)

    def use(self, text: str) -> None:
        """Set the filter from elsewhere (another screen)."""
        self.input.value = text
        self.set_class(bool(text), "-open")
        self._apply()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Half a word would filter everything away, so wait until the typing rests."""
        event.stop()
        self._tell_error()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_SECONDS, self._apply)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._apply()
        if not self.input.value.strip():
            self.remove_class("-open")
        self.post_message(self.Closed())

    def _read(self) -> tuple[str, object]:
        """Raises LlmproxyError."""
        text = self.input.value.strip()
        return text, self._parse(text) if text else None

    def _tell_error(self) -> None:
        error = self.query_one("#filter-error", Static)
        try:
            self._read()
            error.update("")
        except LlmproxyError as exc:
            error.update(plain.line(str(exc)))

    def _apply(self) -> None:
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        try:
            self.post_message(self.Changed(*self._read()))
        except LlmproxyError:
            self._tell_error()  # what was shown stays

    def on_click(self, event: events.Click) -> None:
        self.input.focus()
