"""A question before something that stops a program: Enter does it, Esc does not."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

REASON = 500
"""Characters of a reason."""


class AskScreen(ModalScreen[str | None]):
    """Gives the reason that was typed; with `sure` none is asked for. None: Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "No"),
        Binding("enter", "sure", "Yes", show=False),
    ]
    DEFAULT_CSS = """
    AskScreen { align: center middle; background: $background 60%; }
    AskScreen > Vertical {
        width: 76; max-width: 100%; height: auto; padding: 1 2;
        background: $surface; border: round $warning;
        & > Static { height: auto; }
        & > Input { height: 1; border: none; padding: 0; margin: 1 0; background: $panel; }
    }
    """

    def __init__(self, question: str, told: str, *, sure: str = "") -> None:
        super().__init__()
        self.question = question
        self.told = told
        self.sure = sure

    def compose(self) -> ComposeResult:
        keys = self.sure or "Enter: done"
        with Vertical():
            yield Static(Content.styled(self.question, "bold"))
            yield Static(Content.styled(self.told, "$foreground 75%"))
            if not self.sure:
                yield Input(compact=True, max_length=REASON)
            yield Static(Content.styled(f"{keys}   Esc: leave it", "$accent"))

    def action_sure(self) -> None:
        self.dismiss("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(" ".join(event.value.split()))
