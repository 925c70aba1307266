"""A line that opens to more. What is inside is made only when it is opened."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static


class FoldTitle(Static, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open_or_close", "Open or close", show=False)
    ]
    DEFAULT_CSS = """
    FoldTitle {
        height: 1; text-wrap: nowrap; text-overflow: ellipsis; color: $foreground 75%;
        &:hover { background: $foreground 8%; }
        &:focus { background: $primary 30%; color: $foreground; }
    }
    """

    def action_open_or_close(self) -> None:
        fold = self.parent
        if isinstance(fold, Fold):
            fold.folded = not fold.folded

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_open_or_close()


class Fold(Vertical):
    """`inside` makes the widgets below the title, once."""

    DEFAULT_CSS = """
    Fold { height: auto; }
    Fold > .fold--inside { height: auto; padding: 0 0 0 2; }
    """
    folded: reactive[bool] = reactive(True, init=False)

    def __init__(
        self, title: Content, inside: Callable[[], list[Widget]], *, folded: bool = True
    ) -> None:
        super().__init__()
        self.title = title
        self._inside = inside
        self._made = False
        self.set_reactive(Fold.folded, folded)

    def compose(self) -> ComposeResult:
        yield FoldTitle(self._label())
        if not self.folded:
            self._made = True
            yield Vertical(*self._inside(), classes="fold--inside")

    def _label(self) -> Content:
        return Content.assemble("▸ " if self.folded else "▾ ", self.title)

    async def watch_folded(self, folded: bool) -> None:
        self.query_one(FoldTitle).update(self._label())
        if not folded and not self._made:
            self._made = True
            await self.mount(Vertical(*self._inside(), classes="fold--inside"))
        for inside in self.query(".fold--inside"):
            inside.display = not folded
